"""From a generation, or an environment alone, to its image: composes registry, environments and images."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from estiva import engine
from estiva.control import imports
from estiva.control.stages import Stages
from estiva.environments import debugger, explanations, server, shipping
from estiva.errors import EstivaError, ImageException, UserErrorException
from estiva.images import builder, dockerfile, planning
from estiva.images.context import write_tar
from estiva.images.records import (
    BaseImage,
    Content,
    ContextFile,
    Interpreter,
    Packages,
    Plan,
    ScoringServer,
    Tools,
)
from estiva.messages import EnvironmentBuild, EnvironmentImage, PackageRequest, PackageResult
from estiva.records import (
    BuildContext,
    ContainerRegistry,
    DeploymentSpec,
    EnvironmentSpecification,
    ModelMount,
    Tree,
)
from estiva_server import contract

BASE_IMAGE_VARIABLE = "ESTIVA_BASE_IMAGE"
REGISTRY_VARIABLE = "ESTIVA_REGISTRY"
"""Where packages are pushed: "registry.example.org/team"."""

_NAME = re.compile(r"(?=.{3,32}$)[a-z0-9]([-.a-z0-9]*[a-z0-9])?")
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DEFAULT_BASE = "python:{python}-slim-bookworm"

OnLine = Callable[[str], None]
Cancelled = Callable[[], bool]


def plan(
    stages: Stages,
    workspace: str,
    spec: DeploymentSpec,
    on_line: OnLine,
    cancelled: Cancelled,
    here: bool = True,
) -> Plan:
    """The image of a deployment: everything but its variables and secrets.

    `here`: for the engine in reach, which is asked for the base image; else for any.
    """
    environment = imports.environment(stages.blobs, spec)
    base, content = _base_and_content(
        stages, workspace, environment, spec.interpreter, on_line, cancelled, here
    )
    content = content.model_copy(
        update={
            **_models(stages, spec),
            "code": tuple(_files(stages, spec.code.tree)),
            "code_directories": spec.code.tree.directories,
            "variables": {**spec.environment.variables, **_contract(spec)},
            "labels": planning.labels(_facts(spec)),
        }
    )
    return planning.plan_image(base, content, spec.environment.platform)


def has_base(stages: Stages, workspace: str, spec: DeploymentSpec) -> bool:
    """Whether the engine has, or can pull, what images are built upon where nobody chose it.

    What somebody chose is taken to be there: if it is not, the deployment is to say so.
    """
    if spec.environment.names_base or _chosen_base(stages, workspace):
        return True
    python = shipping.series_of(spec.environment.python_version, spec.interpreter)
    return builder.obtainable(_DEFAULT_BASE.replace("{python}", python))


def build_for_replicas(
    stages: Stages,
    workspace: str,
    spec: DeploymentSpec,
    on_line: OnLine,
    cancelled: Cancelled,
    known: str = "",
) -> str:
    """The image of a deployment without its code, which is copied into each container.

    So a change of the code alone builds nothing. `known`: what was built for the same before; it is taken as
    it is, if the engine has it.
    """
    if known and builder.exists(known):
        return known
    environment = imports.environment(stages.blobs, spec)
    base, content = _base_and_content(
        stages, workspace, environment, spec.interpreter, on_line, cancelled, here=True
    )
    added = debugger.REQUIREMENT if spec.settings.debugger else ""
    content = content.model_copy(update={**_models(stages, spec), "debugger": added})
    return execute(planning.plan_models(base, content, spec.environment.platform), on_line, cancelled)


def package(
    stages: Stages,
    workspace: str,
    spec: DeploymentSpec,
    request: PackageRequest,
    on_line: OnLine,
    cancelled: Cancelled,
) -> PackageResult:
    """The image, pushed if there is a registry for it; or its Dockerfile, kept with all that it copies."""
    tag = _tag(request)
    planned = plan(stages, workspace, spec, on_line, cancelled, here=not request.generate_dockerfile)
    result = PackageResult(digest=planned.digest, dockerfile=dockerfile.of_plan(planned))
    if request.generate_dockerfile:
        _keep_context(stages, planned, result.dockerfile)
        return result
    image = execute(planned, on_line, cancelled, tag or f"package:{planned.digest[:12]}")
    registry = stages.store.workspace(workspace).registry or os.environ.get(REGISTRY_VARIABLE, "")
    if not registry:
        return result.model_copy(update={"location": image})
    remote = f"{registry}/{image}"
    builder.tag(image, remote)
    return result.model_copy(update={"location": builder.push(remote, on_line), "registry": registry})


def context_file(stages: Stages, digest: str) -> Path:
    """The kept build context of a Dockerfile, a tar; ImageException if it is not there."""
    file = stages.home.packages / f"{digest}.tar"
    if not re.fullmatch(r"[0-9a-f]{64}", digest) or not file.is_file():
        raise ImageException(
            "The package's files are not kept any more. Make the package again.", code="PackageNotFound"
        )
    return file


def _keep_context(stages: Stages, planned: Plan, text: str) -> None:
    stages.home.packages.mkdir(mode=0o700, exist_ok=True)
    file = stages.home.packages / f"{planned.digest}.tar"
    part = file.with_suffix(".part")
    try:
        with part.open("wb") as target:
            write_tar(target, text, planned.files, planned.directories)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _tag(request: PackageRequest) -> str | None:
    if request.image_name is None and request.image_label is None:
        return None
    name, label = request.image_name or "package", request.image_label or "1"
    if not _NAME.fullmatch(name) or not _LABEL.fullmatch(label):
        raise UserErrorException(
            f"{name}:{label} cannot be the name of an image. A name has 3 to 32 small letters, digits, dots "
            "and hyphens, and begins and ends with a letter or digit; a label has letters, digits, dots, "
            "hyphens and underscores.",
            code="ImageNameInvalid",
        )
    return f"{name}:{label}"


def environment_image(
    stages: Stages,
    workspace: str,
    wanted: EnvironmentBuild,
    on_line: OnLine,
    cancelled: Cancelled,
    build: bool,
) -> EnvironmentImage:
    """The image of an environment alone, upon which others are built; not `build`: as it would be."""
    here = build or engine.available()
    planned = plan_environment(
        stages, workspace, wanted.specification, wanted.interpreter, on_line, cancelled, here
    )
    reference = planned.layers[-1].reference
    if build:
        execute(planned, on_line, cancelled)
    return EnvironmentImage(
        image=reference,
        exists=here and builder.exists(reference),
        dockerfile=dockerfile.of_plan(planned),
        python=planning.PYTHON,
    )


def plan_environment(
    stages: Stages,
    workspace: str,
    spec: EnvironmentSpecification,
    interpreter: str,
    on_line: OnLine,
    cancelled: Cancelled,
    here: bool = True,
) -> Plan:
    """`here`: as in `plan`."""
    base, content = _base_and_content(stages, workspace, spec, interpreter, on_line, cancelled, here)
    return planning.plan_environment(base, content, spec.platform)


def execute(planned: Plan, on_line: OnLine, cancelled: Cancelled, tag: str | None = None) -> str:
    """Has the engine build it. ImageException, or EnvironmentException where a package is at fault."""
    try:
        return builder.build(planned, on_line, cancelled, shipping.build_settings(), tag)
    except ImageException as error:
        raise _explained(error, planned) from error


def _explained(error: ImageException, planned: Plan) -> EstivaError:
    """uv's own words say which package, or that there is no such Python."""
    if error.code != "BuildFailed" or "estiva/uv " not in error.message:
        return error
    if "uv venv" in error.message:
        return ImageException(
            f"The base image {planned.base.reference or 'of the Dockerfile'} does not have the Python that "
            "the environment asks for, and it could not be downloaded. Take a base image that has it "
            "(docker.base_image), or ask for the version that the base image has (python=...).",
            code="PythonNotInBase",
            detail=error.detail,
        )
    explained = explanations.explain(error.detail)
    return type(explained)(
        f"The environment layer of the image cannot be built. {explained.message}",
        code=explained.code,
        detail=error.detail,
    )


# --- the parts -------------------------------------------------------------------------------------------


def _base_and_content(
    stages: Stages,
    workspace: str,
    spec: EnvironmentSpecification,
    interpreter: str,
    on_line: OnLine,
    cancelled: Cancelled,
    here: bool,
) -> tuple[BaseImage, Content]:
    machine = _machine(spec.platform, here)
    python, packages = _packages(stages, spec, interpreter, machine, on_line, cancelled)
    certificates = shipping.certificates()
    content = Content(
        packages=packages,
        server=_server(stages),
        tools=Tools(
            uv=str(stages.environments.uv_for(machine, on_line, cancelled)),
            certificates=str(certificates) if certificates else None,
        ),
    )
    return _base(stages, workspace, spec, python, on_line, here), content


def _base(
    stages: Stages,
    workspace: str,
    spec: EnvironmentSpecification,
    python: str,
    on_line: OnLine,
    here: bool,
) -> BaseImage:
    if spec.base_dockerfile is not None:
        return BaseImage(dockerfile=spec.base_dockerfile)
    if spec.build_context is not None:
        return _base_of_context(stages, spec.build_context)
    default = _chosen_base(stages, workspace) or _DEFAULT_BASE
    reference = spec.base_image or default.replace("{python}", python)
    registry = spec.base_image_registry or ContainerRegistry()
    if registry.address and spec.base_image and not reference.startswith(f"{registry.address}/"):
        reference = f"{registry.address}/{reference}"
    known = builder.base_id(reference, on_line, _credentials(registry), spec.platform) if here else ""
    return BaseImage(reference=reference, image_id=known)


def _chosen_base(stages: Stages, workspace: str) -> str | None:
    return stages.store.workspace(workspace).base_image or os.environ.get(BASE_IMAGE_VARIABLE)


def _base_of_context(stages: Stages, context: BuildContext) -> BaseImage:
    digest = next(file.sha256 for file in context.tree.files if file.path == context.dockerfile)
    with stages.blobs.open(digest) as file:
        text = file.read().decode()
    return BaseImage(dockerfile=text, files=tuple(_files(stages, context.tree)))


def _credentials(registry: ContainerRegistry) -> builder.Credentials | None:
    """None: those that Docker's own configuration has."""
    if registry.username is None or registry.password is None:
        return None
    return builder.Credentials(registry.username, registry.password.get_secret_value())


def _machine(platform: str | None, here: bool) -> str:
    """The kind of processor that an image is for."""
    if platform is not None:
        return platform.split("/")[1] if "/" in platform else platform
    return builder.machine() if here else shipping.own_machine()


def _packages(
    stages: Stages,
    spec: EnvironmentSpecification,
    interpreter: str,
    machine: str,
    on_line: OnLine,
    cancelled: Cancelled,
) -> tuple[str, Packages]:
    """The Python's series, and what is installed for it."""
    series = shipping.series_of(spec.python_version, interpreter)
    if spec.borrowed_from and spec.names_base:
        path = None if spec.borrowed_from == interpreter else spec.borrowed_from
        return series, Packages(interpreter=Interpreter(path=path))
    shipment = stages.environments.ship(spec, interpreter, machine, planning.WHEELS_PLACE, on_line, cancelled)
    for notice in shipment.notices:
        on_line(notice)
    return series, Packages(
        interpreter=Interpreter(version=shipment.python),
        requirements=shipment.requirements,
        hashed=shipment.hashed,
        files=tuple(
            ContextFile(path=f"{planning.BUILD_FOLDER}/wheels/{name}", source=str(path), keyed=False)
            for name, path in shipment.files
        ),
    )


def _server(stages: Stages) -> ScoringServer:
    files = server.source_files(stages.environments.server_source)
    return ScoringServer(
        files=tuple(_hashed(f"{planning.SERVER_FOLDER}/{place}", path) for place, path in files),
        requirements=server.dependencies(),
        pth=server.pth_text(planning.SERVER),
    )


def _hashed(place: str, path: Path) -> ContextFile:
    return ContextFile(path=place, source=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def _files(stages: Stages, tree: Tree, below: str = "") -> list[ContextFile]:
    return [
        ContextFile(
            path=f"{below}/{file.path}".lstrip("/"),
            source=str(stages.blobs.path(file.sha256)),
            sha256=file.sha256,
            executable=file.executable,
        )
        for file in tree.files
    ]


def _models(stages: Stages, spec: DeploymentSpec) -> dict[str, object]:
    files = (file for mount in spec.models for file in _files(stages, mount.tree, mount.path))
    directories = (f"{mount.path}/{path}" for mount in spec.models for path in mount.tree.directories)
    return {"models": tuple(files), "model_directories": tuple(directories)}


def _contract(spec: DeploymentSpec) -> dict[str, str]:
    values = {
        contract.ENTRY_SCRIPT_VARIABLE: spec.code.entry_script,
        contract.MODEL_DIR_VARIABLE: model_dir(spec.models),
    }
    if spec.code.source_root is not None:
        values[contract.SOURCE_DIRECTORY_VARIABLE] = spec.code.source_root
    return values


def model_dir(models: tuple[ModelMount, ...]) -> str:
    return models[0].path if len(models) == 1 else contract.MODELS_FOLDER


def _facts(spec: DeploymentSpec) -> dict[str, object]:
    version = spec.environment_version
    return {
        "org.opencontainers.image.title": f"{spec.code.entry_script} with its models",
        "org.opencontainers.image.revision": spec.code.tree.digest,
        "estiva.models": [f"{mount.name}:{mount.version}" for mount in spec.models],
        "estiva.environment": {"name": spec.environment.name, "version": version},
        "estiva.entry_script": spec.code.entry_script,
    }
