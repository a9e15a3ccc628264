from __future__ import annotations

import io
from pathlib import Path

import pytest

from estiva.azureml.experiment import Experiment
from estiva.azureml.run import OfflineRun, Run
from estiva.azureml.workspace import Workspace
from estiva.errors import RunEnvironmentException, UserErrorException


@pytest.fixture
def experiment(workspace: Workspace) -> Experiment:
    return Experiment(workspace, "training")


def test_what_is_logged_is_there_in_another_program(experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.log("accuracy", 0.9)
    for loss in (3, 2, 1):
        run.log("loss", loss)
    run.log_list("curve", [1, 2])
    run.log_row("point", x=1, y=2)
    run.tag("stage", "trial")
    run.add_properties({"seed": 1})
    run.complete()
    found = Run(experiment, run.id)
    assert found.get_metrics() == {
        "accuracy": 0.9,
        "loss": [3, 2, 1],
        "curve": [1, 2],
        "point": {"x": 1, "y": 2},
    }
    assert (found.status, found.tags, found.properties) == ("Completed", {"stage": "trial"}, {"seed": "1"})
    assert [other.id for other in experiment.get_runs(tags="stage")] == [run.id]
    assert list(experiment.get_runs(tags={"stage": "other"})) == []
    assert experiment.name in experiment.workspace.experiments


def test_a_model_is_registered_from_a_run(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("outputs").mkdir()
    Path("outputs/model.pkl").write_bytes(b"weights")
    with experiment.start_logging(outputs="outputs") as run:
        run.upload_file("extra/notes.txt", io.BytesIO(b"notes"))
    Path("outputs/model.pkl").unlink()
    assert run.get_file_names() == ["extra/notes.txt", "outputs/model.pkl"]
    model = run.register_model("from-run", "outputs/model.pkl", tags={"a": 1})
    assert (model.version, model.run_id, model.experiment_name) == (1, run.id, "training")
    assert model.files == ["model.pkl"]
    assert model.run is not None
    assert model.run.id == run.id
    run.download_file("extra/notes.txt", str(tmp_path / "notes.txt"))
    assert (tmp_path / "notes.txt").read_bytes() == b"notes"


def test_a_file_that_was_not_uploaded_is_named(experiment: Experiment) -> None:
    run = experiment.start_logging()
    with pytest.raises(UserErrorException, match=r"no file 'outputs/absent.pkl'"):
        run.register_model("absent", "outputs/absent.pkl")
    with pytest.raises(UserErrorException, match="leads out"):
        run.upload_file("../outside", io.BytesIO(b""))


def test_a_run_that_fails_says_so(experiment: Experiment) -> None:
    run = experiment.start_logging()
    with pytest.raises(ValueError, match="broken"), run:
        raise ValueError("broken")
    assert Run.get(experiment.workspace, run.id).status == "Failed"


def test_there_is_no_such_run(experiment: Experiment) -> None:
    with pytest.raises(UserErrorException, match="no run 'absent'"):
        Run(experiment, "absent")
    with pytest.raises(UserErrorException, match="no run 'absent'"):
        Run.get(experiment.workspace, "absent")
    with pytest.raises(UserErrorException, match="cannot be the name"):
        Experiment(experiment.workspace, "no name")
    with pytest.raises(UserErrorException, match="trains none"):
        experiment.submit(None)


def test_a_script_that_nobody_submitted_has_an_offline_run(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.get_context()
    assert isinstance(run, OfflineRun)
    assert run.id.startswith("OfflineRun_")
    run.log("accuracy", 0.9)
    assert capsys.readouterr().out == "Attempted to log scalar metric accuracy:\n0.9\n"
    assert run.get_metrics() == {"accuracy": 0.9}
    with pytest.raises(RunEnvironmentException):
        Run.get_context(allow_offline=False)
    with pytest.raises(UserErrorException, match="start_logging"):
        run.register_model("m")
