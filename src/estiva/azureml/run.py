"""azureml.core.run: what a training script logs and uploads, and the model that is registered from it."""

from __future__ import annotations

import builtins
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

from estiva.azureml import storage
from estiva.errors import UserErrorException

if TYPE_CHECKING:
    from typing_extensions import Self

    from estiva.azureml.experiment import Experiment
    from estiva.azureml.model import Model
    from estiva.azureml.workspace import Workspace

_DOCUMENT = "run"


class Run:
    """A run that exists: `Run(experiment, run_id)`. Raises UserErrorException if there is none."""

    def __init__(
        self,
        experiment: Experiment,
        run_id: str,
        outputs: str | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        self.experiment = experiment
        self.id = run_id
        self._outputs = outputs
        self._documents = storage.Documents(experiment.workspace.name, "experiments", experiment.name, run_id)
        found = self._documents.read(_DOCUMENT)
        if found is None:
            self._documents.folder.rmdir()
            raise UserErrorException(
                f"There is no run {run_id!r} in the experiment {experiment.name!r}.", code="RunNotFound"
            )
        self._state: dict[str, Any] = found

    @classmethod
    def start(
        cls, experiment: Experiment, *, outputs: str | None = None, display_name: str | None = None
    ) -> Self:
        run_id = str(uuid.uuid4())
        documents = storage.Documents(experiment.workspace.name, "experiments", experiment.name, run_id)
        state: dict[str, Any] = {
            "status": "Running",
            "started": _now(),
            "displayName": display_name,
            "metrics": {},
            "tags": {},
            "properties": {},
        }
        documents.write(_DOCUMENT, state)
        return cls(experiment, run_id, outputs)

    @staticmethod
    def get_context(allow_offline: bool = True, **kwargs: Any) -> OfflineRun:  # noqa: ARG004
        """The run of this script: an offline one, as nothing is submitted here."""
        if not allow_offline:
            from estiva.errors import RunEnvironmentException

            raise RunEnvironmentException(
                "This script was not submitted as a run: Estiva does not submit any. "
                "Run.get_context() answers with a run that prints what is logged."
            )
        return OfflineRun()

    @staticmethod
    def get(workspace: Workspace, run_id: str) -> Run:
        found = find(workspace, run_id)
        if found is None:
            raise UserErrorException(f"There is no run {run_id!r}.", code="RunNotFound")
        return found

    @staticmethod
    def list(
        experiment: Experiment,
        type: str | None = None,  # noqa: A002, ARG004
        tags: Any = None,
        properties: Any = None,
        status: str | None = None,
        include_children: bool = False,  # noqa: ARG004
    ) -> Iterator[Run]:
        """Newest first."""
        folder = storage.folder(experiment.workspace.name, "experiments", experiment.name)
        runs = [Run(experiment, path.name) for path in folder.iterdir() if (path / "run.json").is_file()]
        for run in sorted(runs, key=lambda run: run.get_details()["startTimeUtc"], reverse=True):
            labelled = _fits(run.get_tags(), tags) and _fits(run.get_properties(), properties)
            if labelled and status in (None, run.status):
                yield run

    # --- what it is ----------------------------------------------------------------------------------

    @property
    def status(self) -> str:
        return str(self._state["status"])

    def get_status(self) -> str:
        return self.status

    @property
    def display_name(self) -> str:
        return str(self._state["displayName"] or self.id)

    @property
    def name(self) -> str:
        return self.display_name

    @property
    def tags(self) -> dict[str, str]:
        return self.get_tags()

    @property
    def properties(self) -> dict[str, str]:
        return self.get_properties()

    def get_tags(self) -> dict[str, str]:
        return dict(self._state["tags"])

    def get_properties(self) -> dict[str, str]:
        return dict(self._state["properties"])

    def get_metrics(self, name: str | None = None, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        """A value, or the list of them for what was logged several times."""
        metrics: dict[str, builtins.list[Any]] = self._state["metrics"]
        shown = {key: values[0] if len(values) == 1 else values for key, values in metrics.items()}
        return shown if name is None else {key: value for key, value in shown.items() if key == name}

    def get_details(self) -> dict[str, Any]:
        return {
            "runId": self.id,
            "target": "local",
            "status": self.status,
            "startTimeUtc": self._state["started"],
            "endTimeUtc": self._state.get("ended"),
            "properties": self.get_properties(),
        }

    def get_portal_url(self) -> str:
        return self._files.as_uri()

    # --- logging -------------------------------------------------------------------------------------

    def log(self, name: str, value: Any, description: str = "", step: int | None = None) -> None:  # noqa: ARG002
        self._log(name, [value])

    def log_list(self, name: str, value: Sequence[Any], description: str = "") -> None:  # noqa: ARG002
        self._log(name, value)

    def log_row(self, name: str, description: str | None = None, **kwargs: Any) -> None:  # noqa: ARG002
        self._log(name, [{key: _plain(value) for key, value in kwargs.items()}])

    def log_table(self, name: str, value: Mapping[str, Any], description: str = "") -> None:  # noqa: ARG002
        self._log(name, [{key: _plain(item) for key, item in value.items()}])

    def log_image(
        self,
        name: str,
        path: str | None = None,
        plot: Any = None,
        description: str = "",  # noqa: ARG002
    ) -> None:
        """A file, or a figure of matplotlib: kept as a file of the run."""
        place = self._place(f"{name}.png")
        if plot is not None:
            plot.savefig(place)
        elif path is not None:
            shutil.copy2(path, place)
        self._log(name, [f"{name}.png"])

    def tag(self, key: str, value: str | None = None) -> None:
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        self._save(tags={**self.get_tags(), **{key: str(value or "") for key, value in tags.items()}})

    def remove_tags(self, tags: str | Sequence[str]) -> None:
        removed = {tags} if isinstance(tags, str) else set(tags)
        self._save(tags={key: value for key, value in self.get_tags().items() if key not in removed})

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        self._save(properties={**self.get_properties(), **{k: str(v) for k, v in properties.items()}})

    def _log(self, name: str, values: Sequence[Any]) -> None:
        metrics = self._state["metrics"]
        metrics[name] = [*metrics.get(name, []), *(_plain(value) for value in values)]
        self._save()

    def _save(self, **changes: Any) -> None:
        self._state.update(changes)
        self._documents.write(_DOCUMENT, self._state)

    # --- files ---------------------------------------------------------------------------------------

    @property
    def _files(self) -> Path:
        folder = self._documents.folder / "files"
        folder.mkdir(exist_ok=True)
        return folder

    def _place(self, name: str) -> Path:
        """Raises UserErrorException for a name that leads out of the run's folder."""
        place = (self._files / name).resolve()
        if not place.is_relative_to(self._files.resolve()):
            raise UserErrorException(f"{name!r} leads out of the run's files.", code="NameInvalid")
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def upload_file(
        self,
        name: str,
        path_or_stream: str | IO[bytes],
        datastore_name: str | None = None,  # noqa: ARG002
    ) -> None:
        place = self._place(name)
        if isinstance(path_or_stream, str | Path):
            shutil.copy2(path_or_stream, place)
        else:
            place.write_bytes(path_or_stream.read())

    def upload_files(self, names: Sequence[str], paths: Sequence[str], **kwargs: Any) -> None:  # noqa: ARG002
        for name, path in zip(names, paths, strict=True):
            self.upload_file(name, path)

    def upload_folder(self, name: str, path: str, datastore_name: str | None = None) -> None:  # noqa: ARG002
        shutil.copytree(path, self._place(name), dirs_exist_ok=True)

    def get_file_names(self) -> builtins.list[str]:
        root = self._files
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())

    def download_file(self, name: str, output_file_path: str | None = None, **kwargs: Any) -> None:  # noqa: ARG002
        target = Path(output_file_path or Path(name).name)
        target = target / Path(name).name if target.is_dir() else target
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(self._file(name), target)

    def download_files(
        self,
        prefix: str | None = None,
        output_directory: str | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        for name in self.get_file_names():
            if name.startswith(prefix or ""):
                self.download_file(name, str(Path(output_directory or ".") / name))

    def _file(self, name: str) -> Path:
        """A file or folder of the run; one that only lies in the current folder yet is taken in first."""
        found = self._place(name)
        if not found.exists() and Path(name).is_file():
            self.upload_file(name, name)
        elif not found.exists() and Path(name).is_dir():
            self.upload_folder(name, name)
        if not found.exists():
            raise UserErrorException(
                f"The run has no file {name!r} (it has: {', '.join(self.get_file_names()) or 'none'}). "
                "Upload it first: run.upload_file(name, path).",
                code="RunFileNotFound",
            )
        return found

    # --- its end -------------------------------------------------------------------------------------

    def complete(self, _set_status: bool = True) -> None:
        if self._outputs and Path(self._outputs).is_dir():
            self.upload_folder(Path(self._outputs).name, self._outputs)
        self._end("Completed")

    def fail(self, error_details: Any = None, error_code: Any = None, _set_status: bool = True) -> None:
        self._save(error={"code": str(error_code or ""), "message": str(error_details or "")})
        self._end("Failed")

    def cancel(self) -> None:
        self._end("Canceled")

    def _end(self, status: str) -> None:
        self._save(status=status, ended=_now())

    def wait_for_completion(self, show_output: bool = False, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        """Returns at once: a run that a script logs to ends when the script says so."""
        return self.get_details()

    def flush(self, timeout_seconds: float = 300) -> None:
        """Nothing waits to be written."""

    def child_run(self, name: str | None = None, **kwargs: Any) -> Run:  # noqa: ARG002
        return Run.start(self.experiment, display_name=name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.complete()
        else:
            self.fail(error_details=repr(error))

    def register_model(
        self,
        model_name: str,
        model_path: str | None = None,
        tags: dict[str, Any] | None = None,
        properties: dict[str, Any] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        description: str | None = None,
        datasets: Any = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> Model:
        """Registers a file or folder of the run; without a path, the one that is called as the model."""
        from estiva.azureml.model import Model

        return Model.register(
            self.experiment.workspace,
            str(self._file(model_path or model_name)),
            model_name,
            tags=tags,
            properties=properties,
            model_framework=model_framework,
            model_framework_version=model_framework_version,
            description=description,
            datasets=datasets,
            sample_input_dataset=sample_input_dataset,
            sample_output_dataset=sample_output_dataset,
            resource_configuration=resource_configuration,
            _experiment_name=self.experiment.name,
            _run_id=self.id,
        )

    def __repr__(self) -> str:
        return f"Run(Experiment: {self.experiment.name}, Id: {self.id}, Status: {self.status})"


class OfflineRun:
    """The run of a script that was started by itself: prints what is logged, and keeps nothing."""

    def __init__(self) -> None:
        self.id = f"OfflineRun_{uuid.uuid4()}"
        self.status = "Running"
        self.input_datasets: dict[str, Any] = {}
        self._tags: dict[str, str] = {}
        self._metrics: dict[str, Any] = {}

    @property
    def experiment(self) -> Experiment:
        raise UserErrorException(
            "This script was not submitted as a run, so it has no experiment and no workspace: use "
            "Workspace.from_config().",
            code="RunOffline",
        )

    def log(self, name: str, value: Any, description: str = "", step: int | None = None) -> None:  # noqa: ARG002
        print(f"Attempted to log scalar metric {name}:\n{value}")
        self._metrics[name] = value

    def log_list(self, name: str, value: Sequence[Any], description: str = "") -> None:  # noqa: ARG002
        print(f"Attempted to log list metric {name}:\n{value}")
        self._metrics[name] = value

    def log_row(self, name: str, description: str | None = None, **kwargs: Any) -> None:  # noqa: ARG002
        print(f"Attempted to log row metric {name}:\n{kwargs}")
        self._metrics[name] = kwargs

    def get_metrics(self, name: str | None = None, **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002
        return {key: value for key, value in self._metrics.items() if name in (None, key)}

    def tag(self, key: str, value: str | None = None) -> None:
        self._tags[key] = str(value or "")

    def get_tags(self) -> dict[str, str]:
        return dict(self._tags)

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: str | None = None) -> None:
        """Nothing: the file stays where it is."""

    def upload_folder(self, name: str, path: str, datastore_name: str | None = None) -> None:
        """Nothing: the files stay where they are."""

    def complete(self, _set_status: bool = True) -> None:
        self.status = "Completed"

    def register_model(self, model_name: str, model_path: str | None = None, **kwargs: Any) -> Model:  # noqa: ARG002
        raise UserErrorException(
            f"{model_name!r} cannot be registered from a run that nobody submitted: use Model.register("
            "workspace, model_path, model_name), or log to Experiment(workspace, name).start_logging().",
            code="RunOffline",
        )


def find(workspace: Workspace, run_id: str) -> Run | None:
    from estiva.azureml.experiment import Experiment

    for experiment in Experiment.list(workspace):
        if (storage.folder(workspace.name, "experiments", experiment.name) / run_id / "run.json").is_file():
            return Run(experiment, run_id)
    return None


def _fits(present: Mapping[str, str], wanted: Any) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return wanted in present
    return all(present.get(key) == str(value) for key, value in wanted.items())


def _plain(value: Any) -> Any:
    """Numbers of numpy and their arrays as Python's own, which JSON can hold; else as text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return value if isinstance(value, bool | int | float | str | list | tuple | dict | None) else str(value)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()
