"""Services: what those of every kind can do."""

from __future__ import annotations

import builtins
import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from estiva import records
from estiva.errors import ControlServerException, WebserviceException
from estiva.messages import ServiceView
from estiva.records import Generation, GenerationState, ServiceKind, ServiceState
from estiva.sdk.access import Guarded, is_locked_out
from estiva.sdk.connection import address, connect, lines
from estiva.sdk.debugging import Debuggable
from estiva.sdk.diagnosis import Diagnosable, failure_code
from estiva.sdk.html import table
from estiva.sdk.output import StepPrinter
from estiva.sdk.scaling import Scaled
from estiva.sdk.scoring import score
from estiva.sdk.selection import labelled, mounts
from estiva.sdk.workspace import Workspace

if TYPE_CHECKING:
    from os import PathLike

    from estiva.sdk.configuration import WebserviceDeploymentConfiguration
    from estiva.sdk.inference import InferenceConfig
    from estiva.sdk.model import Model

_DELETE_TIMEOUT_SECONDS = 120.0
_RECONNECTIONS = 5
_SILENCE_SECONDS = 30.0
"""The control server says how a deployment stands once a second; one that says nothing hangs."""
_POLL_SECONDS = 0.05
_PAUSES_WHEN_LOCKED_OUT = (0.0, 0.2, 1.0)
"""Seconds: what the service asks for and what the gateway lets in change one after the other."""

_classes: dict[ServiceKind, type[Webservice]] = {}


class Webservice(Guarded, Debuggable, Diagnosable, Scaled):
    """A service that exists; `Webservice(workspace, name)` answers with the object of its kind.

    Raises WebserviceException with "WebserviceNotFound" in its message if there is none.
    """

    compute_type: ClassVar[str] = ""
    """As SDK v1 says it: "Local", "ACI", "AKS"."""
    deploy_configuration: ClassVar[Callable[..., WebserviceDeploymentConfiguration]]
    """Of this kind."""

    kind: ClassVar[ServiceKind | None] = None
    """Of the services that a class is for; None for a base of several kinds."""

    def __init_subclass__(cls, kind: ServiceKind | None = None, **options: Any) -> None:
        """With `kind`, the newest class of that kind is the one that objects get."""
        super().__init_subclass__(**options)
        if kind is not None:
            cls.kind = kind
            _classes[kind] = cls

    def __new__(
        cls,
        workspace: Workspace,
        name: str,
        *_arguments: Any,
        _view: ServiceView | None = None,
        **_options: Any,
    ) -> Webservice:
        if cls.kind is not None:
            return super().__new__(cls)
        view = _view or fetch(workspace, name)
        service = super().__new__(class_of(view.service.kind))
        service._view = view
        return service

    def __init__(self, workspace: Workspace, name: str, *, _view: ServiceView | None = None) -> None:
        self.workspace = workspace
        self.name = name
        self._view: ServiceView = _view or getattr(self, "_view", None) or fetch(workspace, name)
        self._deleted = False
        self._check_kind()

    @staticmethod
    def list(
        workspace: Workspace,
        compute_type: str | None = None,
        image_name: str | None = None,  # noqa: ARG004
        image_id: str | None = None,  # noqa: ARG004
        model_name: str | None = None,
        model_id: str | None = None,
        tags: Sequence[str | Sequence[str]] | None = None,
        properties: Sequence[str | Sequence[str]] | None = None,
        image_digest: str | None = None,  # noqa: ARG004
    ) -> builtins.list[Webservice]:
        """The services of a workspace; all criteria must match."""
        found = connect().request("GET", address("workspaces", workspace.name, "services"))
        views = (ServiceView.model_validate(item) for item in found)
        return [
            Webservice(workspace, view.service.key.service, _view=view)
            for view in views
            if _is_of(view, compute_type)
            and mounts(view, model_name, model_id)
            and labelled(view.service.tags, tags or ())
            and labelled(view.service.properties, properties or ())
        ]

    # --- what it is ----------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        return "deleted" if self._deleted else self._view.service.state.value

    @property
    def description(self) -> str | None:
        return self._view.service.description

    @property
    def tags(self) -> dict[str, str]:
        return dict(self._view.service.tags)

    @property
    def properties(self) -> dict[str, str]:
        return dict(self._view.service.properties)

    @property
    def created_time(self) -> datetime:
        return self._view.service.created_time

    @property
    def updated_time(self) -> datetime:
        return self._view.service.updated_time

    @property
    def error(self) -> str | None:
        """Why the newest generation failed, as text; None if it did not."""
        desired = self._view.desired
        return self._failure(desired) if desired.state is GenerationState.FAILED else None

    @property
    def steps(self) -> builtins.list[records.Step]:
        """The steps of the newest generation, as far as it got."""
        return list(self._view.desired.steps)

    @property
    def generation(self) -> int | None:
        """Number of the generation that serves."""
        return self._view.service.serving

    @property
    def framework(self) -> str | None:
        """Of the model that is served without a score script; None if there is a script."""
        no_code = (self._view.serving or self._view.desired).spec.no_code
        return no_code.framework if no_code else None

    @property
    def models(self) -> builtins.list[Any]:
        """As `model_ids`."""
        return self.model_ids

    @property
    def model_ids(self) -> builtins.list[str]:
        """Ids of the models that serve (or are to serve, before anything does)."""
        generation = self._view.serving or self._view.desired
        return [f"{model.name}:{model.version}" for model in generation.spec.models]

    @property
    def port(self) -> str | None:
        """The published port, as text as scripts expect; None before the service runs."""
        publication = self._view.service.publication
        if publication is None or publication.port is None or self._view.service.serving is None:
            return None
        return str(publication.port)

    @property
    def runtime(self) -> records.TargetKind:
        """Where the newest generation's replicas run."""
        return self._view.desired.spec.target

    @property
    def replicas(self) -> builtins.list[records.Replica]:
        """Those of the generation that serves."""
        return [r for r in self._view.replicas if r.generation == self._view.service.serving]

    @property
    def trouble(self) -> str | None:
        """What is wrong with the replicas that serve, or what was, and made them be started again."""
        reasons = (f"Replica {r.index}: {r.reason}" for r in self.replicas if r.reason)
        return " ".join(filter(None, (self._view.trouble, *reasons))) or None

    @property
    def scoring_uri(self) -> str | None:
        if self._view.service.serving is None or self._deleted:
            return None
        return self._view.scoring_uri

    @property
    def swagger_uri(self) -> str | None:
        uri = self.scoring_uri
        return None if uri is None else uri.removesuffix("/score") + "/swagger.json"

    def update_deployment_state(self) -> None:
        """Refreshes this object."""
        self._view = self._fetch()

    # --- using it ------------------------------------------------------------------------------------

    def run(self, input_data: str | bytes) -> Any:
        """Sends `input_data` unchanged as JSON; the answer is the JSON that run() returned.

        Waits first if the deployment is under way. Raises WebserviceException with `status_code`, `body` and
        `request_id` for any answer but 200; a request that may have run is never sent again.
        """
        if self.scoring_uri is None:
            self.update_deployment_state()
        if self.scoring_uri is None and self._view.desired.state is GenerationState.PENDING:
            self.wait_for_deployment()
        if self.scoring_uri is None:
            raise WebserviceException(
                f"The service {self.name!r} is {self.state} and cannot be called. "
                f"{self.error or ''}".rstrip(),
                code="ServiceNotRunning",
            )
        for pause in _PAUSES_WHEN_LOCKED_OUT:
            try:
                return self._score(input_data)
            except WebserviceException as error:
                if not is_locked_out(error):
                    raise
            # A key or the certificate was replaced, tokens were revoked, or callers need something else now.
            time.sleep(pause)
            self.update_deployment_state()
            self._token = None
        return self._score(input_data)

    def get_logs(self, num_lines: int = 5000, init: bool = False, raw: bool = False) -> str:  # noqa: ARG002
        """The last lines of the newest generation's log, with UTC timestamps; also after it ended."""
        return connect().text(f"{self._path}/logs", {"tail": num_lines})

    def follow_logs(self, num_lines: int = 100) -> Iterator[str]:
        """Log lines as they come, until the service is gone."""
        with connect().stream("GET", f"{self._path}/logs/follow", params={"tail": num_lines}) as response:
            yield from response.iter_lines()

    def wait_for_deployment(self, show_output: bool = False, timeout_sec: float | None = None) -> None:
        """Returns when the newest change serves. With `show_output`, prints each step with its duration.

        Raises WebserviceException at once when it fails, with the step, the reason, the last lines of the
        user's traceback and what to do; or after `timeout_sec` seconds, while the deployment goes on.
        """
        deadline = None if timeout_sec is None else time.monotonic() + timeout_sec
        printer = StepPrinter()
        for view in self._watch():
            self._view = view
            if show_output:
                printer.show(view.desired)
            if deadline is not None and time.monotonic() > deadline and is_pending(view.desired):
                raise WebserviceException(
                    f"The deployment of {self.name!r} took more than {timeout_sec} s and goes on (state "
                    f"{self.state}). Wait again, or look at service.get_logs().",
                    code="WaitTimeout",
                )
        self._conclude(self._view.desired, show_output)

    def reload(self, wait: bool = False) -> None:
        """Serves the scripts as they are now at their original place: new process, same packages and models.

        Until the new one is ready, and for good if it fails, the present one goes on serving.
        """
        self._changed(connect().request("POST", f"{self._path}/reload"), wait)

    def update(self, *arguments: Any, **options: Any) -> None:
        """Replaces what is given of models, inference_config and deployment_config; `wait` for it.

        The kinds have more ways to say it, as in SDK v1. What is None stays as it was. The present generation
        goes on serving until the new one is ready, and for good if it fails.
        """
        self._replace(*arguments, **options)

    def _replace(
        self,
        models: Sequence[Model | str | PathLike[str]] | None = None,
        inference_config: InferenceConfig | None = None,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        wait: bool = False,
    ) -> None:
        from estiva.sdk.deploying import request

        body = request(models, inference_config, deployment_config)
        self._changed(connect().request("PATCH", self._path, body=body.body()), wait)

    def deployment_configuration(self, **changes: Any) -> WebserviceDeploymentConfiguration:
        """How the service is deployed, with `changes` (parameters of deploy_configuration; None: as is).

        Secrets and keys are not in it: they stay as they are unless they are among the changes.
        """
        given = {name: value for name, value in changes.items() if value is not None}
        return self.deploy_configuration(**{**self._configured(), **given})

    def _configured(self) -> dict[str, Any]:
        """The parameters of deploy_configuration that say how the service is deployed now."""
        spec = self._view.desired.spec
        return {
            "scoring_timeout_ms": spec.settings.scoring_timeout_ms,
            "init_timeout_sec": spec.settings.init_timeout_seconds,
            "runtime": spec.settings.runtime,
            "debug": spec.settings.debug,
            "environment_variables": dict(spec.variables),
        }

    def delete(self) -> None:
        """Ends the replicas and removes the service; absence is success."""
        try:
            connect().request("DELETE", self._path)
        except WebserviceException as error:
            if error.code != "WebserviceNotFound":
                raise
            print(f"There is no service {self.name!r} (any more).")
        self._wait_until_gone()
        self._deleted = True

    # --- how -----------------------------------------------------------------------------------------

    @property
    def _path(self) -> str:
        return _path(self.workspace, self.name)

    @property
    def _publication(self) -> records.Publication | None:
        return self._view.service.publication

    @property
    def _certificate(self) -> records.Certificate | None:
        return self._view.certificate

    def _score(self, input_data: str | bytes) -> Any:
        timeout = (self._view.serving or self._view.desired).spec.settings.answer_ms
        return score(
            self._view.local_uri,
            input_data,
            timeout_ms=timeout,
            headers=self._credential_headers(),
            certificate=self._certificate,
        )

    def _check_kind(self) -> None:
        """Raises WebserviceException for a service of another kind than this class is for."""
        rightful = class_of(self._view.service.kind)
        if not issubclass(rightful, type(self)):
            raise WebserviceException(
                f"The service {self.name!r} is a {rightful.__name__}, not a {type(self).__name__}. "
                "Webservice(workspace, name) answers with the object of its kind.",
                code="KindWrong",
            )

    def _fetch(self) -> ServiceView:
        return ServiceView.model_validate(connect().request("GET", self._path))

    def _changed(self, answer: Any, wait: bool) -> None:
        self._view = ServiceView.model_validate(answer)
        if wait:
            self.wait_for_deployment()

    def _watch(self) -> Iterator[ServiceView]:
        """Views until the newest generation has ended, also if that is one that another caller asked for.

        A control server that was killed meanwhile is started again, one that hangs asked again, a few times.
        """
        failures = 0
        while True:
            try:
                newest = {"generation": self._view.service.desired}
                with connect().stream(
                    "GET", f"{self._path}/watch", params=newest, silence=_SILENCE_SECONDS
                ) as response:
                    yield from (ServiceView.model_validate(line) for line in lines(response))
                view = self._fetch()
            except ControlServerException:
                failures += 1
                if failures > _RECONNECTIONS:
                    raise
                continue
            yield view
            if not is_pending(view.desired):
                return

    def _conclude(self, generation: Generation, show_output: bool) -> None:
        if self._view.service.state is ServiceState.DELETING:
            self._wait_until_gone()
            self._fetch()  # says that there is none
        if generation.state is GenerationState.FAILED:
            raise WebserviceException(self._failure(generation), code=failure_code(generation))
        if show_output and generation.state is GenerationState.HELD:
            print(self._held(generation), flush=True)
        elif show_output:
            print(*filter(None, (self._running(), self.certificate_warning)), sep="\n", flush=True)

    def _running(self) -> str:
        what = "token" if self.token_auth_enabled else "keys" if self.auth_enabled else None
        key = f"-H 'Authorization: Bearer {what.removesuffix('s').upper()}' " if what else ""
        told = (
            f"{self.compute_type} webservice is running at {str(self.scoring_uri).removesuffix('/score')}\n"
            f"Try it:  curl -X POST -H 'Content-Type: application/json' {key}"
            f"-d '{{\"data\": []}}' {self.scoring_uri}"
        )
        return f"{told}\nWhat opens it:  estiva service {what} {self.name}" if what else told

    def _wait_until_gone(self) -> None:
        deadline = time.monotonic() + _DELETE_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            try:
                self._fetch()
            except WebserviceException as error:
                if error.code == "WebserviceNotFound":
                    return
                raise
            time.sleep(_POLL_SECONDS)
        raise WebserviceException(
            f"The service {self.name!r} was not gone after {_DELETE_TIMEOUT_SECONDS:.0f} s; "
            "its deletion goes on. "
            "The control server's log says what holds it (`estiva status` names the file).",
            code="DeleteTimeout",
        )

    def __repr__(self) -> str:
        kind = type(self).__name__
        return f"{kind}(name={self.name!r}, state={self.state!r}, scoring_uri={self.scoring_uri!r})"

    def _repr_html_(self) -> str:
        fields = {
            "state": self.state,
            "scoring": self.scoring_uri,
            "swagger": self.swagger_uri,
            "certificate": self.certificate,
            "models": self.model_ids,
            "generation": self.generation,
            "tags": self.tags,
            "failed": self.error,
        }
        return table(f"{self.compute_type} service {self.name}", fields)


def class_of(kind: ServiceKind) -> type[Webservice]:
    """The class of the services of a kind, from the module of that name beside this one."""
    importlib.import_module(f"estiva.sdk.{kind}")
    return _classes[kind]


def fetch(workspace: Workspace, name: str) -> ServiceView:
    """Raises WebserviceException with "WebserviceNotFound" in its message if there is no such service."""
    return ServiceView.model_validate(connect().request("GET", _path(workspace, name)))


def _path(workspace: Workspace, name: str) -> str:
    return address("workspaces", workspace.name, "services", name)


def is_pending(generation: Generation) -> bool:
    return generation.state is GenerationState.PENDING


def _is_of(view: ServiceView, compute_type: str | None) -> bool:
    """Upper and lower case are the same."""
    return compute_type is None or compute_type.upper() == class_of(view.service.kind).compute_type.upper()
