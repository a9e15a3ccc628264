"""A replica's container: its name and labels, what it is created with, and what can be read from it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from estiva.records import Launch, Replica, ReplicaPhase, ServiceKey
from estiva.targets._command import contract_variables
from estiva_server import contract

OWNER_LABEL = "estiva.owner"
SERVICE_LABEL = "estiva.service"
GENERATION_LABEL = "estiva.generation"
REPLICA_LABEL = "estiva.replica"

USER_ID = 10001
"""The user of the images: planning.USER_ID."""
RUN_FOLDER = "/home/estiva/run"
SECRETS_FILE = f"{RUN_FOLDER}/secrets.json"
HISTORY_FILE = "history.json"

_PORT = f"{contract.PORT}/tcp"
_SET_ASIDE = ".stopped"
_LOG_BYTES = "10m"
_LOG_FILES = "3"
SIGKILL = 9
_KILLED = 128 + SIGKILL


@dataclass(frozen=True)
class History:
    """What a container's own status does not keep over a restart; a file beside that."""

    starts: int = 1
    cause: str = ""
    """Why it had to be started again, the first time."""
    capacity: int = 0
    """Requests that it took at a time; again as many, when it is ready again."""


@dataclass(frozen=True)
class Run:
    """What the files in a container's run folder say."""

    status: contract.Status | None = None
    history: History = History()
    out_of_memory: bool = False

    @property
    def was_ready(self) -> bool:
        """Only a replica that was ready is ever started again."""
        return self.history.starts > 1 or (self.status is not None and self.status.capacity > 0)


@dataclass(frozen=True)
class Container:
    """A container as the engine describes it."""

    facts: Mapping[str, Any]
    """The engine's answer to `inspect`."""

    @property
    def id(self) -> str:
        return str(self.facts["Id"])

    @property
    def name(self) -> str:
        return str(self.facts["Name"]).lstrip("/")

    @property
    def _labels(self) -> Mapping[str, str]:
        labels: Mapping[str, str] = self.facts["Config"]["Labels"]
        return labels

    @property
    def generation(self) -> int:
        return int(self._labels[GENERATION_LABEL])

    @property
    def index(self) -> int:
        return int(self._labels[REPLICA_LABEL])

    @property
    def state(self) -> str:
        """ "created", "running", "paused", "restarting", "removing", "exited" or "dead"."""
        return str(self.facts["State"]["Status"])

    @property
    def ended(self) -> bool:
        return self.state in ("exited", "dead")

    @property
    def set_aside(self) -> bool:
        """Stopped on purpose, and kept for its log."""
        return self.name.endswith(_SET_ASIDE)

    @property
    def life(self) -> tuple[str, str, str]:
        """Another one after each start and each end."""
        state = self.facts["State"]
        return self.id, str(state["StartedAt"]), str(state["FinishedAt"]) if self.ended else ""

    @property
    def started(self) -> float:
        """Seconds since the epoch."""
        return parse_time(str(self.facts["State"]["StartedAt"]))

    @property
    def memory_limit(self) -> int:
        return int(self.facts["HostConfig"]["Memory"] or 0)

    def address(self, host: str) -> str:
        (binding,) = self.facts["HostConfig"]["PortBindings"][_PORT]
        return f"{host}:{binding['HostPort']}"


def parse_time(text: str) -> float:
    """Of the engine's times, whose fraction has up to nine digits; seconds since the epoch."""
    whole = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return whole.timestamp() + float(f"0.{text[20:].rstrip('Z') or 0}")


# --- what it is called and made of -----------------------------------------------------------------------


def name_of(owner: str, key: ServiceKey, generation: int, index: int) -> str:
    """For people to recognize; always the same, as the engine gives a name to one alone."""
    mark = hashlib.sha256(f"{owner} {key}".encode()).hexdigest()[:8]
    parts = [key.service, key.version, f"g{generation}", str(index), mark]
    return "estiva-" + "-".join(part for part in parts if part)


def set_aside_name(name: str) -> str:
    return name + _SET_ASIDE


def key_of(labels: Mapping[str, str]) -> ServiceKey:
    workspace, service, *version = labels[SERVICE_LABEL].split("/")
    return ServiceKey(workspace=workspace, service=service, version=version[0] if version else None)


def labels_of(owner: str, launch: Launch, index: int) -> dict[str, str]:
    return {
        OWNER_LABEL: owner,
        SERVICE_LABEL: str(launch.key),
        GENERATION_LABEL: str(launch.generation),
        REPLICA_LABEL: str(index),
    }


def command(launch: Launch) -> list[str]:
    """What follows the image's entry point."""
    line = ["--entry-script", launch.entry_script, "--model-dir", launch.model_dir]
    if launch.source_root is not None:
        line += ["--source-root", launch.source_root]
    return [*line, "--run-dir", RUN_FOLDER]


def variables(launch: Launch) -> dict[str, str]:
    """Its environment, which whoever may ask the engine can read: so without the secrets."""
    found = {**launch.variables, **contract_variables(launch, contract.APP_ROOT)}
    if launch.secrets:
        found[contract.SECRETS_FILE_VARIABLE] = SECRETS_FILE
    return found


def secrets_of(launch: Launch) -> str:
    """The content of the file that hands the secrets over; the contract's variables win."""
    fixed = contract_variables(launch, contract.APP_ROOT)
    secrets = {name: secret.get_secret_value() for name, secret in launch.secrets.items()}
    return json.dumps({name: value for name, value in secrets.items() if name not in fixed})


def as_text(content: History | contract.Status) -> str:
    """What its file holds."""
    return json.dumps(asdict(content))


def host_options(launch: Launch, host: str, port: int) -> dict[str, Any]:
    """What the engine is to enforce: the port, the limits, no right that serving does not need."""
    settings = launch.settings
    options: dict[str, Any] = {
        "port_bindings": {contract.PORT: (host, port), **_debugger(launch)},
        "log_config": {
            "type": "json-file",
            "config": {"max-size": _LOG_BYTES, "max-file": _LOG_FILES},
        },
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
    }
    if settings.cpu_limit is not None:
        options["nano_cpus"] = int(settings.cpu_limit * 1e9)
    if settings.memory_limit is not None:
        # Swapping does not count: it would make a replica slow instead of telling what is wrong with it.
        options |= {"mem_limit": settings.memory_limit, "memswap_limit": settings.memory_limit}
    if settings.gpus:
        options["device_requests"] = [{"Count": settings.gpus, "Capabilities": [["gpu"]]}]
    return options


def ports(launch: Launch) -> list[int]:
    return [contract.PORT, *_debugger(launch)]


def _debugger(launch: Launch) -> dict[int, tuple[str, int]]:
    """Its port is on loopback, wherever the engine is: whoever reaches a debugger can run code."""
    debugger = launch.settings.debugger
    return {} if debugger is None else {debugger.port: ("127.0.0.1", debugger.port)}


# --- what is seen of it ----------------------------------------------------------------------------------


def replica_of(container: Container, run: Run, host: str) -> Replica | None:
    """The replica, or None for what was never started, or was stopped on purpose."""
    if container.state in ("created", "removing") or (container.set_aside and container.ended):
        return None
    status = run.status
    replica = Replica(
        generation=container.generation,
        index=container.index,
        phase=_phase(container, status),
        address=container.address(host),
        restarts=run.history.starts - 1 + (status.restarts if status else 0),
        capacity=(status.capacity if status else 0) or run.history.capacity,
        reason=run.history.cause,
    )
    return replica if replica.phase is not ReplicaPhase.EXITED else _ended(replica, container, run)


def _phase(container: Container, status: contract.Status | None) -> ReplicaPhase:
    if container.ended or container.state == "paused":
        return ReplicaPhase.EXITED
    if container.set_aside:
        return ReplicaPhase.DRAINING
    # Until the supervisor of this start has spoken, there may be the last word of the one before it.
    if status is None or status.phase == "exited":
        return ReplicaPhase.STARTING
    return ReplicaPhase(status.phase)


def _ended(replica: Replica, container: Container, run: Run) -> Replica:
    code = None if container.state == "paused" else int(container.facts["State"]["ExitCode"])
    return replica.model_copy(
        update={
            "exit_code": code,
            "signal": run.status.worker_signal if run.status else None,
            "out_of_memory": run.out_of_memory,
            "reason": reason(container, run),
        }
    )


def reason(container: Container, run: Run) -> str:
    """Why it does not run, in a sentence."""
    name, code = container.name, container.facts["State"]["ExitCode"]
    if container.state == "paused":
        return f"The container {name} was paused (docker pause)."
    if run.out_of_memory:
        limit = f"{container.memory_limit / 1024**2:.0f} MB" if container.memory_limit else "the machine's"
        return f"The replica needed more memory than its limit, {limit}, and was ended by the system."
    status = run.status
    if status is not None and status.phase == "exited" and status.exit_code == code != 0:
        return status.reason
    if code == _KILLED:
        return f"The container {name} was killed (SIGKILL): by docker kill, or by the system."
    if code == 0:
        return f"The container {name} was stopped by hand (docker stop), or with its engine."
    said = container.facts["State"].get("Error") or f"ended with exit status {code}"
    return f"The container {name} {said}."
