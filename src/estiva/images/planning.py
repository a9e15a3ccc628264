"""Base image, packages, models and code -> the layers of an image. Pure.

base -> environment -> models -> code: each layer is named by the digest of all that it is made from, so a
change of the code alone builds the last one, and what is unchanged is not built at all.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from estiva.errors import UserErrorException
from estiva.images.records import BaseImage, Content, ContextFile, Layer, Packages, Plan, ScoringServer, Tools
from estiva_server import contract

USER_ID = 10001
HOME = "/home/estiva"
ENVIRONMENT = "/opt/estiva/environment"
SERVER = "/opt/estiva/server"
DEBUGGER = "/opt/estiva/debugger"
PYTHON = f"{ENVIRONMENT}/bin/python"
LAUNCHER = f"{SERVER}/serve.py"

BUILD_FOLDER = "estiva-build"
SERVER_FOLDER = "estiva-server"
APP_FOLDER = "azureml-app"
BUILD_PLACE = "/tmp/estiva"  # noqa: S108  in a stage of which nothing stays
WHEELS_PLACE = f"{BUILD_PLACE}/wheels"

BUILD_LABEL = "estiva.build"
LAYER_LABEL = "estiva.layer"

SETTINGS = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX_STRATEGY",
    "UV_INSECURE_HOST",
    "UV_PRERELEASE",
    "UV_PYTHON_INSTALL_MIRROR",
)
"""Build arguments that uv reads; they exist in the stage that installs, and nowhere else."""

# Beside the certificates of the machine that planned the image, if it has its own.
_UV = """\
#!/bin/sh
here=$(dirname "$0")
if [ -s "$here/ca-certificates.crt" ]; then export SSL_CERT_FILE="$here/ca-certificates.crt"; fi
exec "$here/uv-program" "$@"
"""

# A program of its own, not `python -m`: that would put the working directory first on the module path, where
# a user's json.py would take the place of Python's own.
_LAUNCHER = """\
import sys

del sys.path[0]
from estiva_server.__main__ import main

sys.exit(main())
"""

_HEALTH = (
    f"import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', {contract.PORT}, timeout=2); "
    f"c.request('GET', '{contract.HEALTH_PATH}'); sys.exit(c.getresponse().status != 200)"
)


def plan_image(base: BaseImage, content: Content, platform: str | None = None) -> Plan:
    """The whole image."""
    layers = plan_models(base, content, platform).layers
    return Plan(base=base, layers=(*layers, _code(layers[-1].digest, content)), platform=platform)


def plan_models(base: BaseImage, content: Content, platform: str | None = None) -> Plan:
    """All but the code: the base, the environment, the models, and a debugger if there is to be one."""
    layers = plan_environment(base, content, platform).layers
    for make in (_models, _debugger):
        layer = make(layers[-1].digest, content)
        layers = (*layers, *([layer] if layer else []))
    return Plan(base=base, layers=layers, platform=platform)


def plan_environment(base: BaseImage, content: Content, platform: str | None = None) -> Plan:
    """The base and the environment alone."""
    layers: tuple[Layer, ...] = ()
    parent = f"{base.reference} {base.image_id} {platform or ''}"
    if base.dockerfile is not None:
        made = Layer(name="base", instructions=base.dockerfile, files=base.files, parent=platform or "")
        layers, parent = (made,), made.digest
    environment = _environment(parent, content.packages, content.server, content.tools)
    return Plan(base=base, layers=(*layers, environment), platform=platform)


# --- environment -----------------------------------------------------------------------------------------


def _environment(parent: str, packages: Packages, server: ScoringServer, tools: Tools) -> Layer:
    build = (
        *_tools(tools),
        ContextFile(path=f"{BUILD_FOLDER}/requirements.txt", text=packages.requirements),
        ContextFile(path=f"{BUILD_FOLDER}/estiva_server.pth", text=server.pth),
        *packages.files,
    )
    launcher = ContextFile(path=f"{SERVER_FOLDER}/serve.py", text=_LAUNCHER)
    return Layer(
        name="environment",
        parent=parent,
        preparation=_preparation(packages, server),
        instructions=_ENVIRONMENT,
        files=(*build, launcher, *server.files),
    )


def _tools(tools: Tools) -> tuple[ContextFile, ...]:
    """uv, and what it trusts."""
    files = (
        ContextFile(path=f"{BUILD_FOLDER}/uv", text=_UV, executable=True),
        ContextFile(path=f"{BUILD_FOLDER}/uv-program", source=tools.uv, executable=True, keyed=False),
    )
    if tools.certificates is None:
        return files
    path = f"{BUILD_FOLDER}/ca-certificates.crt"
    return (*files, ContextFile(path=path, source=tools.certificates, keyed=False))


_ENV = (
    "ENV UV_NO_PROGRESS=1 UV_LINK_MODE=copy UV_NO_CONFIG=1 UV_CACHE_DIR=/tmp/uv-cache "
    "UV_PYTHON_INSTALL_DIR=/opt/estiva/python"
)
_OPENING = f"""\
USER root
ARG {" ".join(SETTINGS)}
{_ENV}
COPY {BUILD_FOLDER}/ {BUILD_PLACE}/"""
_PURELIB = f"""$({PYTHON} -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"""


def _preparation(packages: Packages, server: ScoringServer) -> str:
    """Each RUN is one thing that can fail."""
    lines = [_OPENING, _make_environment(packages)]
    if packages.requirements:
        hashes = " --require-hashes" if packages.hashed else ""
        lines.append(
            f"RUN {BUILD_PLACE}/uv pip install --python {PYTHON}{hashes} --no-deps --compile-bytecode "
            f"-r {BUILD_PLACE}/requirements.txt"
        )
    wanted = " ".join(map(shlex.quote, server.requirements))
    lines += [
        f"RUN {BUILD_PLACE}/uv pip install --python {PYTHON} --target {SERVER} --compile-bytecode {wanted}",
        f"COPY {SERVER_FOLDER}/ {SERVER}/",
        f"RUN {PYTHON} -m compileall -q {SERVER}/estiva_server",
        f'RUN cp {BUILD_PLACE}/estiva_server.pth "{_PURELIB}"',
    ]
    return "\n".join(lines)


def _make_environment(packages: Packages) -> str:
    interpreter = packages.interpreter
    if not interpreter.borrowed:
        return f"RUN {BUILD_PLACE}/uv venv --no-project --python {interpreter.version} {ENVIRONMENT}"
    find = f"{BUILD_PLACE}/uv python find --no-project '>=3.10'"
    python = shlex.quote(interpreter.path) if interpreter.path else f"$({find})"
    folders = "import site\\nfor f in site.getsitepackages(): print(f'import site; site.addsitedir({f!r})')"
    # Sorts before the server's file, as .pth files are read in order: the packages of the base image win.
    return (
        f'RUN python={python} && {BUILD_PLACE}/uv venv --no-project --python "$python" {ENVIRONMENT} && '
        f'printf "{folders}" | "$python" - > {ENVIRONMENT}/estiva_base.pth && '
        f"mv {ENVIRONMENT}/estiva_base.pth {ENVIRONMENT}/lib/python3.*/site-packages/"
    )


_HEALTH_COMMAND = json.dumps([PYTHON, "-I", "-S", "-c", _HEALTH])
_ENTRYPOINT = json.dumps([PYTHON, LAUNCHER, "--host", "0.0.0.0"])  # noqa: S104  in a container of its own

_ENVIRONMENT = f"""\
USER root
COPY --from=preparation /opt/estiva /opt/estiva
RUN mkdir -p {contract.APP_ROOT} {HOME} && \\
    echo 'estiva:x:{USER_ID}:' >> /etc/group && \\
    echo 'estiva:x:{USER_ID}:{USER_ID}::{HOME}:/bin/bash' >> /etc/passwd && \\
    chown {USER_ID}:{USER_ID} {contract.APP_ROOT} {HOME}
ENV PATH={ENVIRONMENT}/bin:$PATH {contract.APP_ROOT_VARIABLE}={contract.APP_ROOT}
WORKDIR {contract.APP_ROOT}
USER {USER_ID}:{USER_ID}
EXPOSE {contract.PORT}
HEALTHCHECK --interval=10s --timeout=5s --start-period=600s CMD {_HEALTH_COMMAND}
ENTRYPOINT {_ENTRYPOINT}
CMD []"""


# --- models and code -------------------------------------------------------------------------------------


def _models(parent: str, content: Content) -> Layer | None:
    if not (content.models or content.model_directories):
        return None
    folder = contract.MODELS_FOLDER
    copy = f"COPY --chown={USER_ID}:{USER_ID} {APP_FOLDER}/{folder}/ {contract.APP_ROOT}/{folder}/"
    return Layer(
        name="models",
        parent=parent,
        instructions=copy,
        files=_in_app(content.models),
        directories=tuple(f"{APP_FOLDER}/{path}" for path in content.model_directories),
    )


def _debugger(parent: str, content: Content) -> Layer | None:
    if not content.debugger:
        return None
    install = f"RUN {BUILD_PLACE}/uv pip install --python {PYTHON} --target {DEBUGGER} "
    return Layer(
        name="debugger",
        parent=parent,
        preparation=f"{_OPENING}\n{install}{shlex.quote(content.debugger)}",
        instructions=(
            f"COPY --from=preparation {DEBUGGER} {DEBUGGER}\nENV {contract.DEBUGPY_VARIABLE}={DEBUGGER}"
        ),
        files=_tools(content.tools),
    )


def _code(parent: str, content: Content) -> Layer:
    # In the whole Dockerfile the context has the models too, so what is copied is named.
    paths = [*(file.path for file in content.code), *(f"{path}/" for path in content.code_directories)]
    tops = sorted({top + slash for top, slash, _ in (path.partition("/") for path in paths)})
    instructions = [
        *map(_copy, tops),
        *_pairs("ENV", "variable", content.variables),
        *_pairs("LABEL", "label", content.labels),
    ]
    return Layer(
        name="code",
        parent=parent,
        instructions="\n".join(instructions),
        files=_in_app(content.code),
        directories=tuple(f"{APP_FOLDER}/{path}" for path in content.code_directories),
    )


def _copy(top: str) -> str:
    """`top`: "score.py", or "source/"."""
    paths = json.dumps([f"{APP_FOLDER}/{top}", f"{contract.APP_ROOT}/{top}"])
    return f"COPY --chown={USER_ID}:{USER_ID} {paths}"


def _in_app(files: tuple[ContextFile, ...]) -> tuple[ContextFile, ...]:
    return tuple(file.model_copy(update={"path": f"{APP_FOLDER}/{file.path}"}) for file in files)


def _pairs(instruction: str, what: str, values: Mapping[str, str]) -> list[str]:
    """One instruction for all, or none: each is a step of the build."""
    quoted = [_quoted(what, name, value) for name, value in sorted(values.items())]
    return [f"{instruction} {' '.join(quoted)}"] if quoted else []


def _quoted(what: str, name: str, value: str) -> str:
    """NAME="value" as a Dockerfile reads it."""
    if "\n" in value or "\r" in value:
        raise UserErrorException(
            f"The {what} {name} has a line break, which an image cannot hold. Give it to the deployment "
            "instead (environment_variables), or write it on one line.",
            code="VariableInvalid",
        )
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'{name}="{escaped}"'


def labels(facts: Mapping[str, object]) -> dict[str, str]:
    """Facts as labels: texts as they are, everything else as JSON."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for name, value in facts.items()
    }
