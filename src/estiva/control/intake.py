"""Accepts what clients ask for: checks it, snapshots models and code, and writes down what is wanted.

Nothing is started here; the reconcile loop does that. When an answer has been given, the wish is on disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from estiva import engine
from estiva.control import capacity, debugging, imaging, nocode, placement, publications, scaling
from estiva.control.keys import changed_keys, new_credentials
from estiva.control.reconcile import Reconciler
from estiva.control.stages import Stages
from estiva.control.views import view
from estiva.errors import WebserviceException
from estiva.machine import machine
from estiva.messages import (
    DebugRequest,
    DeploymentRequest,
    ModelReference,
    ModelRegistration,
    PublicationRequest,
    ScalingRequest,
    ServiceView,
    TokenView,
)
from estiva.records import (
    Certificate,
    Code,
    Credentials,
    DeploymentSpec,
    EnvironmentSpecification,
    Generation,
    GenerationState,
    Model,
    ModelMount,
    Publication,
    Scaling,
    Service,
    ServiceKey,
    ServiceKind,
    ServiceSettings,
    ServiceState,
    Tree,
)
from estiva.registry import names
from estiva.registry.services import exists_already
from estiva.registry.trees import ingest

_UNREGISTERED_NAME_LENGTH = 30


Reason = Literal["deploy", "update", "reload"]


class Intake:
    def __init__(self, stages: Stages, reconciler: Reconciler) -> None:
        self._stages = stages
        self._reconciler = reconciler
        # Looking for a name or a port and writing it down must be one act, or two may be promised the same.
        self._accepting = threading.RLock()

    def register_model(
        self, workspace: str, wanted: ModelRegistration, on_progress: Callable[[int, int], None]
    ) -> Model:
        names.model_name(wanted.name)
        self._stages.store.workspace(workspace)
        children = None if wanted.child_paths is None else [Path(path) for path in wanted.child_paths]
        tree = ingest(
            self._stages.blobs,
            Path(wanted.path),
            child_paths=children,
            keep_root=True,
            on_progress=on_progress,
        )
        model = Model(version=0, tree=tree, **wanted.model_dump(exclude={"path", "child_paths"}))
        return self._stages.store.add_model(workspace, model)

    def deploy(self, key: ServiceKey, request: DeploymentRequest) -> ServiceView:
        names.service_name(key.service)
        _check_new_kind(request)
        self._stages.store.workspace(key.workspace)
        if not request.overwrite and self._existing(key):
            raise exists_already(key)  # before models and code are read
        spec = self._specification(key.workspace, request)
        with self._accepting:
            existing = self._existing(key)
            if existing is None:
                return self._create(key, spec, request)
        if not request.overwrite:
            raise exists_already(key)
        _check_kind(existing, request)
        self._republish(existing, request, spec.settings)
        return self._accept(key, spec, "deploy", request)

    def update(self, key: ServiceKey, request: DeploymentRequest) -> ServiceView:
        service = self._stages.store.service(key)
        _check_kind(service, request)
        before = self._stages.store.generation(key, service.desired).spec
        spec = self._changed(key.workspace, service.kind, before, request)
        self._republish(service, request, spec.settings)
        if spec == before and request.keeps_what_runs:
            self._relabel(key, request)
            return self._announce(key)
        return self._accept(key, spec, "update", request)

    def reload(self, key: ServiceKey) -> ServiceView:
        """The same generation again, with the scripts as they are now at their original place."""
        return self._accept(key, self._reloaded(key), "reload", None)

    def debug(self, key: ServiceKey, request: DebugRequest) -> ServiceView:
        """A reload, to which a debugger can attach."""
        return self._accept(key, debugging.debugged(self._reloaded(key), request), "reload", None)

    def end_debugging(self, key: ServiceKey) -> ServiceView:
        return self._accept(key, debugging.undebugged(self._reloaded(key)), "reload", None)

    def _reloaded(self, key: ServiceKey) -> DeploymentSpec:
        """Of the generation that serves; while there is none, or it is held, of the one that is to."""
        service = self._stages.store.service(key)
        held = self._stages.store.generation_state(key, service.desired) is GenerationState.HELD
        number = service.desired if held else service.serving or service.desired
        before = self._stages.store.generation(key, number).spec
        if before.no_code is not None:
            raise WebserviceException(
                f"The service {key.service!r} has no score script to reload: its model is served by "
                f"Estiva's own script for {before.no_code.framework}. Update it to serve another model, or "
                "deploy it with a score script.",
                code="NothingToReload",
            )
        code = self._code(before.code.entry_path, before.code.source_directory)
        return before.model_copy(update={"code": code})

    def scale(self, key: ServiceKey, wanted: ScalingRequest) -> ServiceView:
        """Not a new generation: replicas of the one that serves are started, or drained and ended."""
        service = self._stages.store.service(key)
        settings = self._stages.store.generation_settings(key, service.desired)
        self._stages.store.update_service(key, scaling=self._scaled(service, wanted, settings))
        return self._announce(key)

    def keys(self, key: ServiceKey) -> Credentials:
        _, publication = self._published(key)
        return self._stages.access.keys(key.workspace, key.service, publication)

    def replace_key(self, key: ServiceKey, name: str, value: SecretStr | None) -> Credentials:
        """The old key stops before this returns; the other one is not touched."""
        _, publication = self._published(key)
        credentials = self._stages.access.replace_key(key.workspace, key.service, publication, name, value)
        self._stages.publisher.publish(key.workspace)
        return credentials

    def token(self, key: ServiceKey) -> TokenView:
        route, publication = self._published(key)
        return self._stages.access.token(key.workspace, route, publication)

    def revoke_tokens(self, key: ServiceKey) -> None:
        """Those that were given out stop before this returns."""
        _, publication = self._published(key)
        self._stages.access.revoke_tokens(key.workspace, key.service, publication)
        self._stages.publisher.publish(key.workspace)

    def delete(self, key: ServiceKey) -> None:
        self._stages.store.service(key)
        self._stages.store.update_service(key, state=ServiceState.DELETING)
        self._reconciler.abandon(key)

    def specification(self, workspace: str, request: DeploymentRequest) -> DeploymentSpec:
        """What a new deployment of the request would be; for a trial, too."""
        return self._specification(workspace, request)

    def share_port(self, workspace: str) -> None:
        """Gives the workspace its port when something first needs it; it keeps that for life."""
        store = self._stages.store
        with self._accepting:
            if store.workspace(workspace).port is None:
                taken = [service.publication.port for service in store.services() if service.publication]
                others = [other.port for other in store.workspaces()]
                store.update_workspace(workspace, port=publications.shared_port([*taken, *others]))

    def _published(self, key: ServiceKey) -> tuple[str, Publication | None]:
        """The id of the route that the key belongs to, and how that is published."""
        endpoint = self._stages.store.find_endpoint(key.workspace, key.service)
        if endpoint is not None:
            return f"endpoint:{key.service}", endpoint.publication
        return f"service:{key.service}", self._stages.store.service(key).publication

    # --- from a request to a specification -----------------------------------------------------------

    def _specification(self, workspace: str, request: DeploymentRequest) -> DeploymentSpec:
        references = request.models or ()
        models = self._mounts(workspace, references)
        parts = self._scripted(request) or nocode.plan(
            self._stages,
            workspace,
            references,
            models,
            nocode.Given(request.interpreter, request.environment, request.environment_version),
        )
        spec = DeploymentSpec(
            **parts,
            models=models,
            settings=request.settings or ServiceSettings(),
            variables=request.variables or {},
            secrets=request.secrets or {},
        )
        return self._placed(workspace, request.kind or "local", spec)

    def _placed(self, workspace: str, kind: ServiceKind, spec: DeploymentSpec) -> DeploymentSpec:
        """With its target. Raises RunEnvironmentException if it must be a container and no engine answers."""
        if spec.settings.runtime == "docker":
            engine.connect()

        def containers() -> bool:
            return engine.available() and imaging.has_base(self._stages, workspace, spec)

        target = placement.choose(kind, spec.settings.runtime, spec.environment, containers)
        return spec.model_copy(update={"target": target})

    def _changed(
        self, workspace: str, kind: ServiceKind, before: DeploymentSpec, request: DeploymentRequest
    ) -> DeploymentSpec:
        """What was deployed with the parts that the request names replaced."""
        changes: dict[str, object] = {}
        if request.models is not None:
            models = self._mounts(workspace, request.models)
            changes = {"models": models, **self._no_code_again(workspace, before, request, models)}
        changes.update(self._scripted(request))
        changes.update(
            (name, value)
            for name in ("settings", "variables", "secrets")
            if (value := getattr(request, name)) is not None
        )
        others = (request.description, request.scaling)
        if not changes and others == (None, None) and request.tags is None and not request.properties:
            raise WebserviceException(
                "Nothing to update: no part of the service was given.", code="NothingToUpdate"
            )
        spec = before.model_copy(update=changes)
        if (spec.settings.runtime, spec.environment) == (before.settings.runtime, before.environment):
            return spec
        return self._placed(workspace, kind, spec)

    def _scripted(self, request: DeploymentRequest) -> dict[str, Any]:
        """The fields of a DeploymentSpec that follow from the user's own script; none if there is none."""
        if request.entry_script is None:
            return {}
        return {
            "code": self._code(request.entry_script, request.source_directory),
            "environment": request.environment or borrowed(request.interpreter),
            "environment_version": request.environment_version,
            "interpreter": request.interpreter,
            "no_code": None,
        }

    def _no_code_again(
        self,
        workspace: str,
        before: DeploymentSpec,
        request: DeploymentRequest,
        models: tuple[ModelMount, ...],
    ) -> dict[str, Any]:
        """For a model that replaces one without a script: chosen anew, but for the user's environment."""
        if before.no_code is None or request.entry_script is not None:
            return {}
        given = nocode.Given(request.interpreter, request.environment, request.environment_version)
        if request.environment is None and before.no_code.notice is None:
            given = nocode.Given(before.interpreter, before.environment, before.environment_version)
        return nocode.plan(self._stages, workspace, request.models or (), models, given)

    def _mounts(self, workspace: str, references: tuple[ModelReference, ...]) -> tuple[ModelMount, ...]:
        return distinct(self._mount(workspace, reference) for reference in references)

    def _mount(self, workspace: str, reference: ModelReference) -> ModelMount:
        if reference.path is not None:
            path = Path(reference.path)
            tree = ingest(self._stages.blobs, path, keep_root=True)
            return ModelMount(name=path.name[:_UNREGISTERED_NAME_LENGTH], version=0, tree=tree)
        model = self._stages.store.model(workspace, reference.name or "", reference.version)
        return ModelMount(name=model.name, version=model.version, tree=model.tree)

    def _code(self, entry_script: str, source_directory: str | None) -> Code:
        entry = Path(entry_script)
        if not entry.is_file():
            raise WebserviceException(
                f"The entry script {entry} does not exist (any more). "
                "Put it back, or deploy with its new path.",
                code="EntryScriptNotFound",
            )
        if source_directory is None:
            tree = ingest(self._stages.blobs, entry, keep_root=True)
            return Code(tree=tree, entry_script=entry.name, entry_path=entry_script)
        root = Path(source_directory).resolve()
        tree = below(root.name, ingest(self._stages.blobs, root, keep_root=False))
        inside = entry.resolve().relative_to(root).as_posix()
        return Code(
            tree=tree,
            entry_script=f"{root.name}/{inside}",
            entry_path=entry_script,
            source_directory=source_directory,
        )

    # --- writing it down -----------------------------------------------------------------------------

    def _existing(self, key: ServiceKey) -> Service | None:
        services = self._stages.store.services(key.workspace)
        return next((service for service in services if service.key == key), None)

    def _create(self, key: ServiceKey, spec: DeploymentSpec, request: DeploymentRequest) -> ServiceView:
        wanted = request.publication or PublicationRequest()
        credentials = new_credentials(wanted.primary_key, wanted.secondary_key)
        publication = publications.published(
            request.kind or "local",
            wanted,
            self._stages.store.services(),
            self._certificate(key.workspace, wanted),
        )
        publications.check_gateway(publication, self._stages.publisher.available)
        if publication.port is None:
            self.share_port(key.workspace)
        service = new_service(key, request.kind or "local", spec, request, publication)
        generation = Generation(number=1, state=GenerationState.PENDING, spec=spec)
        self._stages.store.create_service(service, generation, credentials)
        return self._announce(key)

    def _certificate(
        self, workspace: str, wanted: PublicationRequest, before: Certificate | None = None
    ) -> Certificate | None:
        if wanted.certificate is None:
            return None
        return self._stages.access.keep_certificate(workspace, wanted.certificate, before)

    def _accept(
        self, key: ServiceKey, spec: DeploymentSpec, reason: Reason, request: DeploymentRequest | None
    ) -> ServiceView:
        if request is None or request.settings is None:  # to stop after a step is meant once
            settings = spec.settings.model_copy(update={"until": None})
            spec = spec.model_copy(update={"settings": settings})
        self._stages.store.add_generation(
            key,
            spec,
            reason,
            description=request.description if request else None,
            tags=request.tags if request else None,
            properties=request.properties if request else None,
        )
        self._reconciler.supersede(key)
        return self._announce(key)

    def _announce(self, key: ServiceKey) -> ServiceView:
        self._reconciler.wake()
        self._stages.changes.announce()
        return view(self._stages, key)

    def _relabel(self, key: ServiceKey, request: DeploymentRequest) -> None:
        labels = {name: getattr(request, name) for name in ("description", "tags", "properties")}
        given = {name: value for name, value in labels.items() if value is not None}
        self._stages.store.update_service(key, **given)

    def _republish(self, service: Service, request: DeploymentRequest, settings: ServiceSettings) -> None:
        """What of the service is no part of a generation. A version is published with its endpoint."""
        changes: dict[str, object] = {}
        if service.publication is not None:
            changes["publication"] = self._publication_changed(service.key, service.publication, request)
        scaled = self._scaled(service, request.scaling or ScalingRequest(), settings)
        if scaled != service.scaling:  # else the load may be changing it at this moment
            changes["scaling"] = scaled
        self._stages.store.update_service(service.key, **changes)
        if changes.get("publication", service.publication) != service.publication:
            self._stages.publisher.publish(service.key.workspace)  # in force before this returns

    def _publication_changed(
        self, key: ServiceKey, before: Publication, request: DeploymentRequest
    ) -> Publication:
        wanted = request.publication or PublicationRequest()
        certificate = self._certificate(key.workspace, wanted, before.certificate)
        publication = publications.changed(key, before, wanted, certificate)
        publications.check_gateway(publication, self._stages.publisher.available)
        self._stages.store.update_credentials(key.workspace, key.service, **changed_keys(wanted))
        return publication

    def _scaled(self, service: Service, wanted: ScalingRequest, settings: ServiceSettings) -> Scaling:
        """As this machine and its gateway allow it."""
        changed = scaling.changed(service.scaling, wanted)
        scaling.check_gateway(changed, self._stages.publisher.available)
        return capacity.capped(changed, settings, machine())


def new_service(
    key: ServiceKey,
    kind: ServiceKind,
    spec: DeploymentSpec,
    request: DeploymentRequest,
    publication: Publication | None,
) -> Service:
    """One whose first generation is on its way."""
    wanted = scaling.initial(kind, request.scaling or ScalingRequest())
    return Service(
        key=key,
        kind=kind,
        targets=(spec.target,),
        state=ServiceState.TRANSITIONING,
        publication=publication,
        scaling=capacity.capped(wanted, spec.settings, machine()),
        desired=1,
        description=request.description,
        tags=request.tags or {},
        properties=request.properties or {},
    )


def _check_new_kind(request: DeploymentRequest) -> None:
    if request.kind == "endpoint":
        raise WebserviceException(
            "An endpoint is no single service: create it with its first version.", code="KindWrong"
        )


def _check_kind(service: Service, request: DeploymentRequest) -> None:
    if request.kind not in (None, service.kind):
        raise WebserviceException(
            f"The service {service.key.service!r} is of kind {service.kind!r} and cannot become one of kind "
            f"{request.kind!r}. Delete it first, or choose another name.",
            code="KindChange",
        )


def borrowed(interpreter: str) -> EnvironmentSpecification:
    """The environment of a deployment that names none: the packages that the user runs now."""
    return EnvironmentSpecification(name="current", borrowed_from=interpreter)


def distinct(mounts: Iterable[ModelMount]) -> tuple[ModelMount, ...]:
    """Each model once. Raises WebserviceException if two different ones would lie at one place."""
    found: dict[str, ModelMount] = {}
    for mount in mounts:
        if found.setdefault(mount.path, mount) != mount:
            raise WebserviceException(
                f"Two of the models are named {mount.name!r} and would both lie at {mount.path}. "
                "Rename one of the files, or register them under different names.",
                code="ModelTwice",
            )
    return tuple(found.values())


def below(folder: str, tree: Tree) -> Tree:
    """The same tree one level deeper, in `folder`."""
    files = tuple(file.model_copy(update={"path": f"{folder}/{file.path}"}) for file in tree.files)
    return Tree(files=files, directories=tuple(f"{folder}/{path}" for path in tree.directories))
