"""Model.profile: what a service needs, measured while it answers the rows of a dataset."""

from __future__ import annotations

import math
import threading
import time
import uuid
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psutil

from estiva.azureml import storage
from estiva.azureml.dataset import TabularDataset
from estiva.azureml.local import LocalWebservice
from estiva.errors import EstivaError, UserErrorException, WebserviceException
from estiva.home import Home
from estiva.sdk.inference import InferenceConfig
from estiva.sdk.model import Model as SdkModel
from estiva.sdk.webservice import Webservice
from estiva_server import contract

if TYPE_CHECKING:
    from estiva.azureml.workspace import Workspace

_CPU_RANGE = (0.1, 3.5)
_MEMORY_RANGE = (0.1, 15.0)
_PERCENTILES = {"50": 0.5, "90": 0.9, "95": 0.95, "99": 0.99, "999": 0.999}
_HEADROOM = 1.3
"""Of what is recommended over the most that was used: load comes in bursts, and memory grows."""
_SAMPLE_SECONDS = 0.05
_GIB = 1024**3


class ModelProfile:
    """A measurement under way, or done: `ModelProfile(workspace, name)` finds it again."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace = workspace
        self.name = name
        self._documents = storage.Documents(workspace.name, "profiles")
        self._thread: threading.Thread | None = None
        if self._documents.read(name) is None:
            raise WebserviceException(f"There is no profile {name!r}.", code="ProfileNotFound")

    @property
    def _found(self) -> dict[str, Any]:
        return self._documents.read(self.name) or {}

    @property
    def state(self) -> str:
        return str(self._found["state"])

    @property
    def error(self) -> dict[str, str] | None:
        return self._found.get("error")

    @property
    def recommended_cpu(self) -> float | None:
        return self._found.get("recommendedCpu")

    @property
    def recommended_memory(self) -> float | None:
        return self._found.get("recommendedMemoryInGB")

    def wait_for_completion(self, show_output: bool = False) -> None:
        """Warns, and raises nothing, if the measurement failed."""
        if show_output:
            print("Running", end="", flush=True)
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(1)
            if show_output:
                print(".", end="", flush=True)
        if show_output:
            print(f"\n{self.state}")
        if self.error is not None:
            warnings.warn(f"Model profiling failed: {self.error['message']}", UserWarning, stacklevel=2)

    def get_details(self) -> dict[str, Any]:
        """What was asked for, used and recommended; latencies in milliseconds."""
        return {key: value for key, value in self._found.items() if value is not None}

    def serialize(self) -> dict[str, Any]:
        return {"workspace": self.workspace.name, **self.get_details()}

    def start(self, measurement: Measurement) -> None:
        self._thread = threading.Thread(target=self._measure, args=(measurement,), name="profile")
        self._thread.start()

    def _measure(self, measurement: Measurement) -> None:
        try:
            found = {"state": "Succeeded", **measurement.run()}
        except EstivaError as error:
            found = {"state": "Failed", "error": {"code": error.code, "message": error.message}}
        self._documents.write(self.name, {**self._found, **found})


def profile(
    workspace: Workspace,
    profile_name: str,
    models: Sequence[Any],
    inference_config: InferenceConfig,
    input_dataset: Any,
    cpu: float | None,
    memory_in_gb: float | None,
    description: str | None,
) -> ModelProfile:
    """Raises UserErrorException for what cannot be measured; the measurement goes on in a thread."""
    if not profile_name:
        raise UserErrorException("Give the profile a name.", code="ProfileName")
    requests = _requests(input_dataset)
    for name, value, (low, high) in (("cpu", cpu, _CPU_RANGE), ("memory_in_gb", memory_in_gb, _MEMORY_RANGE)):
        if value is not None and not low <= value <= high:
            raise UserErrorException(
                f"{name} must be from {low} to {high}, not {value!r}.", code="ProfileLimit"
            )
    document = {
        "name": profile_name,
        "state": "Running",
        "description": description,
        "requestedCpu": cpu or _CPU_RANGE[1],
        "requestedMemoryInGB": memory_in_gb or _MEMORY_RANGE[1],
        "requestedQueriesPerSecond": 0,
    }
    storage.Documents(workspace.name, "profiles").write(profile_name, document)
    started = ModelProfile(workspace, profile_name)
    started.start(Measurement(workspace, models, inference_config, requests))
    return started


def _check(name: str, value: float | None, limits: tuple[float, float]) -> None:
    low, high = limits
    if value is not None and not low <= value <= high:
        raise UserErrorException(f"{name} must be from {low} to {high}, not {value!r}.", code="ProfileLimit")


def _requests(dataset: Any) -> list[str]:
    """The bodies to send: the one column of the dataset. Raises UserErrorException for anything else."""
    if not isinstance(dataset, TabularDataset):
        raise UserErrorException(
            "input_dataset is a tabular dataset whose one column has the bodies of requests: "
            "Dataset.Tabular.from_delimited_files(path, separator='\\n', header=False).",
            code="ProfileDataset",
        )
    rows = dataset.rows()
    if not rows or any(len(row) != 1 or not row[0] for row in rows):
        raise UserErrorException(
            "input_dataset must have exactly one column, of text, and no empty rows.", code="ProfileDataset"
        )
    return [row[0] for row in rows]


class Measurement:
    """A service of its own that is asked each request in turn, and watched meanwhile."""

    def __init__(
        self,
        workspace: Workspace,
        models: Sequence[Any],
        inference_config: InferenceConfig,
        requests: Sequence[str],
    ) -> None:
        self._workspace = workspace
        self._models = models
        self._inference_config = inference_config
        self._requests = requests

    def run(self) -> dict[str, Any]:
        name = f"profile-{uuid.uuid4().hex[:8]}"
        service = SdkModel.deploy(
            self._workspace,
            name,
            self._models,
            self._inference_config,
            LocalWebservice.deploy_configuration(),
        )
        try:
            Webservice.wait_for_deployment(service)
            return self._ask(service, name)
        finally:
            service.delete()

    def _ask(self, service: Any, name: str) -> dict[str, Any]:
        usage = Usage(name)
        latencies: list[float] = []
        failures = 0
        begun, cpu_before = time.monotonic(), usage.cpu_seconds()
        with usage.watched():
            for request in self._requests:
                sent = time.monotonic()
                try:
                    service.run(request)
                    latencies.append(time.monotonic() - sent)
                except WebserviceException:
                    failures += 1
        seconds = time.monotonic() - begun
        cpu = (usage.cpu_seconds() - cpu_before) / seconds
        return {
            **_latencies(latencies),
            "totalQueries": len(self._requests),
            "successQueries": len(latencies),
            "successRate": 100 * len(latencies) / len(self._requests),
            "averageLatencyInMs": 1000 * sum(latencies) / len(latencies) if latencies else None,
            "measuredQueriesPerSecond": len(self._requests) / seconds,
            "maxUtilizedCpu": round(cpu, 3),
            "maxUtilizedMemoryInGB": round(usage.peak / _GIB, 3),
            "recommendedCpu": _up(cpu * _HEADROOM, _CPU_RANGE),
            "recommendedMemoryInGB": _up(usage.peak / _GIB * _HEADROOM, _MEMORY_RANGE),
            "error": None if not failures else {"code": "RequestsFailed", "message": _failed(failures)},
        }


class Usage:
    """CPU and memory of a service's processes."""

    def __init__(self, service: str) -> None:
        self._processes = [process for process in psutil.process_iter() if _serves(process, service)]
        self.peak = self._memory()
        self._over = threading.Event()

    def cpu_seconds(self) -> float:
        times = [process.cpu_times() for process in self._processes if process.is_running()]
        return sum(found.user + found.system for found in times)

    def _memory(self) -> int:
        return sum(process.memory_info().rss for process in self._processes if process.is_running())

    def watched(self) -> _Watch:
        return _Watch(self)

    def watch(self, over: threading.Event) -> None:
        while not over.wait(_SAMPLE_SECONDS):
            self.peak = max(self.peak, self._memory())


class _Watch:
    """Samples the memory while the block runs."""

    def __init__(self, usage: Usage) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=usage.watch, args=(self._over,), name="usage")

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def _serves(process: psutil.Process, service: str) -> bool:
    """Replicas are known by the variables that they were started with."""
    try:
        variables = process.environ()
    except psutil.Error:  # of somebody else, or gone
        return False
    below = variables.get(contract.APP_ROOT_VARIABLE, "").startswith(str(Home.current().replicas))
    return below and variables.get(contract.SERVICE_NAME_VARIABLE) == service


def _latencies(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    if not ordered:
        return {}
    return {
        f"latencyPercentile{name}InMs": 1000
        * ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
        for name, share in _PERCENTILES.items()
    }


def _up(value: float, limits: tuple[float, float]) -> float:
    """To the next tenth, within the limits that may be asked for."""
    return min(max(math.ceil(value * 10) / 10, limits[0]), limits[1])


def _failed(count: int) -> str:
    return f"{count} requests were not answered with 200; the score script's log says why."
