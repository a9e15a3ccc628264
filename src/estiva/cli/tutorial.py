"""`estiva demo`: the whole loop on a real model, in a minute."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estiva.errors import RunEnvironmentException, WebserviceException

if TYPE_CHECKING:
    from estiva.sdk.environment import Environment
    from estiva.sdk.model import Model
    from estiva.sdk.webservice import Webservice
    from estiva.sdk.workspace import Workspace

_SERVICE = "estiva-demo"
_MODEL = "estiva-demo-diabetes"
_SHOWN = 6
_HELD_OUT = 40

_SCORE = """\
import json
import os

import joblib


def init():
    global model
    model = joblib.load(os.path.join(os.environ["AZUREML_MODEL_DIR"], "diabetes.joblib"))
    print("model loaded:", type(model).__name__)


def run(data):
    rows = json.loads(data)["data"]
    return [round(float(value), 1) for value in model.predict(rows)]
"""

_EDITED = _SCORE.replace(
    "return [round(float(value), 1) for value in model.predict(rows)]",
    'return {"predictions": [round(float(value)) for value in model.predict(rows)], "edited": True}',
)

_BROKEN = _EDITED.replace('"diabetes.joblib"', '"diabetis.joblib"')

_ENVIRONMENT = """\
name: estiva-demo
dependencies:
  - python={python}
  - pip:
      - azureml-defaults
      - scikit-learn=={sklearn}
"""


def add_to(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the service running and the files in place.")
    ] = False,
) -> None:
    """Train a real model, register, deploy, score, edit and reload, break it and be told why, clean up."""
    folder = Path(tempfile.mkdtemp(prefix="estiva-demo-"))
    with cleaned_up(folder, keep):
        rows, truth = train(folder)
        workspace, environment, model = register(folder)
        service = deploy(workspace, folder, model, environment)
        score(service, rows, truth)
        edit(service, folder, rows)
        logs(service)
        broken(service, folder, rows)


def title(text: str) -> None:
    typer.secho(f"\n== {text}", bold=True)


def train(folder: Path) -> tuple[list[list[float]], list[float]]:
    """Fits a model and writes the project; answers with held-out rows (n x 10) and their true values (n)."""
    title("Train a model: diabetes progression, 442 patients, 10 measurements each")
    try:
        import joblib
        import sklearn
        from sklearn.datasets import load_diabetes
        from sklearn.ensemble import GradientBoostingRegressor
    except ImportError as error:
        raise RunEnvironmentException(
            "The demo trains a scikit-learn model, and scikit-learn is not installed here. "
            "Install it (pip install scikit-learn), then run estiva demo again.",
            code="DemoPackages",
        ) from error
    from estiva.sdk.conda_dependencies import running_python

    data, target = load_diabetes(return_X_y=True)
    model = GradientBoostingRegressor(random_state=0).fit(data[:-_HELD_OUT], target[:-_HELD_OUT])
    joblib.dump(model, folder / "diabetes.joblib")
    (folder / "score.py").write_text(_SCORE)
    specification = _ENVIRONMENT.format(python=running_python(), sklearn=sklearn.__version__)
    (folder / "environment.yml").write_text(specification)
    quality = model.score(data[-_HELD_OUT:], target[-_HELD_OUT:])
    typer.echo(f"R2 on {_HELD_OUT} held-out patients: {quality:.2f}; files in {folder}")
    return data[-_HELD_OUT:].tolist(), target[-_HELD_OUT:].tolist()


def register(folder: Path) -> tuple[Workspace, Environment, Model]:
    from estiva.sdk.environment import Environment
    from estiva.sdk.model import Model
    from estiva.sdk.workspace import Workspace

    title("Register it, with an environment from a conda YAML")
    workspace = Workspace.default()
    model = Model.register(workspace, model_path=folder / "diabetes.joblib", model_name=_MODEL)
    environment = Environment.from_conda_specification("estiva-demo", folder / "environment.yml")
    registered = environment.register(workspace)
    typer.echo(f"model {model.id}, environment {registered.name}:{registered.version}")
    return workspace, registered, model


def deploy(workspace: Workspace, folder: Path, model: Model, environment: Environment) -> Webservice:
    from estiva.sdk.inference import InferenceConfig
    from estiva.sdk.model import Model as Models

    title("Deploy it (the first time, the packages are installed)")
    inference = InferenceConfig(entry_script=str(folder / "score.py"), environment=environment)
    service = Models.deploy(workspace, _SERVICE, [model], inference, overwrite=True)
    service.wait_for_deployment(show_output=True)
    return service


def score(service: Webservice, rows: list[list[float]], truth: list[float]) -> None:
    title(f"Score {len(rows)} held-out patients over HTTP")
    predictions = service.run(body(rows))
    typer.echo("  predicted     true")
    for predicted, true in list(zip(predictions, truth, strict=True))[:_SHOWN]:
        typer.echo(f"  {predicted:9.1f} {true:8.1f}")
    error = sum(abs(p - t) for p, t in zip(predictions, truth, strict=True)) / len(truth)
    typer.echo(f"  ... mean absolute error over all {len(truth)}: {error:.1f}")


def edit(service: Webservice, folder: Path, rows: list[list[float]]) -> None:
    title("Edit score.py and reload: a new process takes over when it is ready")
    (folder / "score.py").write_text(_EDITED)
    service.reload()
    service.wait_for_deployment(show_output=True)
    typer.echo(f"  {service.run(body(rows[:3]))}")


def logs(service: Webservice) -> None:
    title("Its log")
    for line in service.get_logs(num_lines=5).splitlines():
        typer.echo(f"  {line}")


def broken(service: Webservice, folder: Path, rows: list[list[float]]) -> None:
    title("Break init() on purpose (a misspelt file name) and reload: this is what you are told")
    (folder / "score.py").write_text(_BROKEN)
    service.reload()
    try:
        service.wait_for_deployment(show_output=True)
    except WebserviceException as error:
        typer.echo(str(error))
    typer.echo(f"\nStill serving: {service.run(body(rows[:3]))}")


def body(rows: list[list[float]]) -> str:
    return json.dumps({"data": rows})


@contextlib.contextmanager
def cleaned_up(folder: Path, keep: bool) -> Iterator[None]:
    """Removes the service, its model and the files at the end, also when something failed on the way."""
    try:
        yield
    finally:
        if keep:
            typer.echo(f"\nKept: service {_SERVICE}, files in {folder}.")
        else:
            title("Clean up")
            remove(folder)


def remove(folder: Path) -> None:
    import shutil

    from estiva.sdk.model import Model
    from estiva.sdk.webservice import Webservice
    from estiva.sdk.workspace import Workspace

    workspace = Workspace.default()
    services: dict[str, Any] = workspace.webservices
    if _SERVICE in services:
        Webservice(workspace, _SERVICE).delete()
    for model in Model.list(workspace, name=_MODEL):
        model.delete()
    shutil.rmtree(folder)
    typer.echo("The service, its model and the files are gone.")
