"""Services: what every kind can do, and the Local kind."""

from __future__ import annotations

import builtins
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from estiva import records
from estiva.errors import ControlServerException, WebserviceException
from estiva.findings import render
from estiva.messages import DeploymentRequest, ServiceView
from estiva.records import Generation, GenerationState, ServiceState
from estiva.sdk.connection import address, connect, lines
from estiva.sdk.html import table
from estiva.sdk.output import StepPrinter, text_width
from estiva.sdk.scoring import score
from estiva.sdk.workspace import Workspace

if TYPE_CHECKING:
    from os import PathLike

    from estiva.sdk.inference import InferenceConfig
    from estiva.sdk.model import Model

_LOWEST_PORT, _HIGHEST_PORT = 1, 65535
_DELETE_TIMEOUT_SECONDS = 120.0
_RECONNECTIONS = 5
_POLL_SECONDS = 0.05


class LocalWebserviceDeploymentConfiguration:
    """How a Local service is published.

    `port`: 1 to 65535; None takes a free one. `host`: the address to listen on, loopback unless set.
    `scoring_timeout_ms`: a request's deadline. `init_timeout_sec`: how long init() may take.
    `environment_variables` and `secrets` reach the score script;
    the values of secrets never show in output (None: none, or in an update, as they are).
    """

    def __init__(
        self,
        port: int | None = None,
        *,
        host: str = "127.0.0.1",
        scoring_timeout_ms: int = 60_000,
        init_timeout_sec: float = 600.0,
        debug: bool = False,
        environment_variables: dict[str, str] | None = None,
        secrets: dict[str, str] | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
    ) -> None:
        self.port = port
        self.host = host
        self.scoring_timeout_ms = scoring_timeout_ms
        self.init_timeout_sec = init_timeout_sec
        self.debug = debug
        self.environment_variables = environment_variables or {}
        self.secrets = secrets
        self.description = description
        self.tags = tags
        self.properties = properties
        self.validate_configuration()

    def validate_configuration(self) -> None:
        """Raises WebserviceException for a value that cannot be used."""
        if self.port is not None and not _is_port(self.port):
            raise WebserviceException(
                f"port {self.port!r} is not a port: use an integer from {_LOWEST_PORT} to {_HIGHEST_PORT}, "
                "or leave it out for a free one.",
                code="PortInvalid",
            )
        for name in ("scoring_timeout_ms", "init_timeout_sec"):
            if getattr(self, name) <= 0:
                raise WebserviceException(f"{name} must be greater than 0.", code="TimeoutInvalid")

    def print_deploy_configuration(self) -> None:
        print(f"Local service, port {self.port or 'chosen when it is deployed'}")

    def settings(self) -> records.ServiceSettings:
        return records.ServiceSettings(
            port=self.port,
            host=self.host,
            scoring_timeout_ms=self.scoring_timeout_ms,
            init_timeout_seconds=self.init_timeout_sec,
            debug=self.debug,
        )


def _is_port(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and _LOWEST_PORT <= value <= _HIGHEST_PORT


class Webservice:
    """A service that exists; `Webservice(workspace, name)` answers with the object of its kind.

    Raises WebserviceException with "WebserviceNotFound" in its message if there is none.
    """

    def __new__(cls, workspace: Workspace, name: str, *_arguments: Any, **_options: Any) -> Webservice:  # noqa: ARG004
        return super().__new__(LocalWebservice if cls is Webservice else cls)

    def __init__(self, workspace: Workspace, name: str, *, _view: ServiceView | None = None) -> None:
        self.workspace = workspace
        self.name = name
        self._view = _view or self._fetch()
        self._deleted = False

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
            if compute_type in (None, view.service.kind, view.service.kind.upper())
            and _mounts(view, model_name, model_id)
            and _labelled(view.service.tags, tags or ())
            and _labelled(view.service.properties, properties or ())
        ]

    # --- what it is ----------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        return "deleted" if self._deleted else self._view.service.state.value

    @property
    def compute_type(self) -> str:
        return self._view.service.kind.capitalize()

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
    def models(self) -> builtins.list[str]:
        """Ids of the models that serve (or are to serve, before anything does)."""
        generation = self._view.serving or self._view.desired
        return [f"{model.name}:{model.version}" for model in generation.spec.models]

    @property
    def scoring_uri(self) -> str | None:
        if self._view.service.serving is None or self._deleted:
            return None
        host = self._view.service.host
        shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::") else host  # noqa: S104
        shown = f"[{shown}]" if ":" in shown else shown
        return f"http://{shown}:{self._view.service.port}/score"

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
        timeout = (self._view.serving or self._view.desired).spec.settings.scoring_timeout_ms
        return score(self.scoring_uri, input_data, timeout_ms=timeout)

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
        return address("workspaces", self.workspace.name, "services", self.name)

    def _fetch(self) -> ServiceView:
        return ServiceView.model_validate(connect().request("GET", self._path))

    def _watch(self) -> Iterator[ServiceView]:
        """Views until the newest generation has ended, also if that is one that another caller asked for.

        A control server that was killed meanwhile is started again, a few times.
        """
        failures = 0
        while True:
            try:
                newest = {"generation": self._view.service.desired}
                with connect().stream("GET", f"{self._path}/watch", params=newest) as response:
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
        if generation.state is GenerationState.FAILED:
            raise WebserviceException(self._failure(generation), code=failure_code(generation))
        if show_output:
            print(self._running(), flush=True)

    def _failure(self, generation: Generation) -> str:
        text = render(generation.findings, text_width())
        serving = self._view.service.serving
        if serving is None:
            return text
        return (
            f"{text}\n\nThe {generation.reason} was not taken over: generation {serving} of {self.name!r} "
            f"goes on serving at {self.scoring_uri}."
        )

    def _running(self) -> str:
        return (
            f"{self.compute_type} webservice is running at {str(self.scoring_uri).removesuffix('/score')}\n"
            f"Try it:  curl -X POST -H 'Content-Type: application/json' "
            f"-d '{{\"data\": []}}' {self.scoring_uri}"
        )

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
            "models": self.models,
            "generation": self.generation,
            "tags": self.tags,
            "failed": self.error,
        }
        return table(f"{self.compute_type} service {self.name}", fields)


class LocalWebservice(Webservice):
    """A service on this machine, published on a port of its own."""

    STATE_DELETED = "deleted"
    STATE_DEPLOYING = "deploying"
    STATE_FAILED = "failed"
    STATE_RUNNING = "running"
    STATE_UNKNOWN = "unknown"

    _STATES = {
        ServiceState.TRANSITIONING: STATE_DEPLOYING,
        ServiceState.HEALTHY: STATE_RUNNING,
        ServiceState.UNHEALTHY: STATE_UNKNOWN,
        ServiceState.FAILED: STATE_FAILED,
        ServiceState.UNSCHEDULABLE: STATE_FAILED,
        ServiceState.DELETING: STATE_DELETED,
    }

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        must_exist: bool = True,  # noqa: ARG002  a service that does not exist has no object here
        *,
        _view: ServiceView | None = None,
    ) -> None:
        super().__init__(workspace, name, _view=_view)

    deploy_configuration = LocalWebserviceDeploymentConfiguration

    @property
    def state(self) -> str:
        return self.STATE_DELETED if self._deleted else self._STATES[self._view.service.state]

    @property
    def port(self) -> str | None:
        """The published port, as text as scripts expect; None before the service runs."""
        return str(self._view.service.port) if self._view.service.serving is not None else None

    def reload(self, wait: bool = False) -> None:
        """Serves the scripts as they are now at their original place: new process, same packages and models.

        Until the new one is ready, and for good if it fails, the present one goes on serving.
        """
        self._changed(connect().request("POST", f"{self._path}/reload"), wait)

    def update(
        self,
        models: Sequence[Model | str | PathLike[str]] | None = None,
        inference_config: InferenceConfig | None = None,
        deployment_config: LocalWebserviceDeploymentConfiguration | None = None,
        wait: bool = False,
        image_config: InferenceConfig | None = None,
    ) -> None:
        """Replaces what is given; what is None stays as it was. `image_config` is the older name.

        The present generation goes on serving until the new one is ready, and for good if it fails.
        """
        from estiva.sdk.deploying import request

        body: DeploymentRequest = request(models, inference_config or image_config, deployment_config)
        self._changed(connect().request("PATCH", self._path, body=body.body()), wait)

    def deployment_configuration(self, **changes: Any) -> LocalWebserviceDeploymentConfiguration:
        """How the service is published now, with `changes` (parameters of deploy_configuration; None: as is).

        Secrets are not readable, and stay as they are unless they are among the changes.
        """
        spec = self._view.desired.spec
        present: dict[str, Any] = {
            "scoring_timeout_ms": spec.settings.scoring_timeout_ms,
            "init_timeout_sec": spec.settings.init_timeout_seconds,
            "debug": spec.settings.debug,
            "environment_variables": dict(spec.variables),
        }
        given = {name: value for name, value in changes.items() if value is not None}
        return LocalWebserviceDeploymentConfiguration(host=self._view.service.host, **{**present, **given})

    def _changed(self, answer: Any, wait: bool) -> None:
        self._view = ServiceView.model_validate(answer)
        if wait:
            self.wait_for_deployment()


def is_pending(generation: Generation) -> bool:
    return generation.state is GenerationState.PENDING


def failure_code(generation: Generation) -> str:
    return generation.findings[0].code if generation.findings else "DeploymentFailed"


def _mounts(view: ServiceView, name: str | None, model_id: str | None) -> bool:
    mounted = view.desired.spec.models
    return (name is None or any(model.name == name for model in mounted)) and (
        model_id is None or any(f"{model.name}:{model.version}" == model_id for model in mounted)
    )


def _labelled(present: dict[str, str], wanted: Sequence[str | Sequence[str]]) -> bool:
    return all(
        item in present if isinstance(item, str) else present.get(item[0]) == str(item[1]) for item in wanted
    )
