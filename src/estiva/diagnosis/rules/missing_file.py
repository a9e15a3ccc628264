"""The script opens a file, or a model, that is not where it looks."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding, Traceback

_PATH = re.compile(r"(?:\[Errno \d+\] )?(?:No such file or directory|Is a directory): b?'(?P<path>.*)'")
_MODELS = "azureml-models"
_MODEL_ERRORS = {"ModelNotFoundException", "ModelPathNotFoundException"}
_IN_MODEL_DIR = 'os.path.join(os.environ["AZUREML_MODEL_DIR"], "FILE")'


def check(evidence: Evidence) -> Finding | None:
    for raised in reversed(tracebacks.chain(evidence)):
        name = raised.exception.rsplit(".", 1)[-1]
        found = _PATH.search(raised.message)
        if name == "IsADirectoryError" and found:
            return _folder(raised, found["path"])
        if name in _MODEL_ERRORS:
            return _model(evidence, raised)
        if name == "FileNotFoundError":
            return _file(evidence, raised, found["path"] if found else "")
    return None


def _model(evidence: Evidence, raised: Traceback) -> Finding:
    return Finding(
        code="ModelNotFound",
        title=wording.title(raised, "a model is not in the service"),
        what="The script asked for a model that the service was not deployed with.",
        evidence=(*wording.quote(raised), *_models(evidence)),
        todo=("Deploy with that model too, or correct its name or version in the script.",),
    )


def _folder(raised: Traceback, path: str) -> Finding:
    return Finding(
        code="FileIsFolder",
        title=wording.title(raised, f"{path} is a folder, not a file"),
        what=f"The script opened {path} as a file.",
        why="AZUREML_MODEL_DIR names the folder that the model is in, not its file."
        if _MODELS in path
        else "",
        evidence=wording.quote(raised),
        todo=(f"Open the file in it: {_IN_MODEL_DIR}",),
    )


def _file(evidence: Evidence, raised: Traceback, path: str) -> Finding:
    return Finding(
        code="FileMissing",
        title=wording.title(raised, f"{path or 'a file'} does not exist"),
        what=f"The script looked for {path or 'a file'} and did not find it.",
        why=_why(path),
        evidence=(*wording.quote(raised), *_models(evidence)),
        todo=_todo(path),
        certainty=0.95,
    )


def _why(path: str) -> str:
    if _MODELS in path:
        return "The folder of the service's models has no such file."
    if path.startswith("/"):
        return (
            "A service has its models and its source directory, not the files of the machine you wrote it on."
        )
    return "Relative paths begin at the app root: the entry script, or the source directory, and the models."


def _todo(path: str) -> tuple[str, ...]:
    open_model = f"If it is the model's, open {_IN_MODEL_DIR}, under the name that it was registered with."
    if _MODELS in path:
        return ("Correct the name; the evidence lists what the models hold.", open_model)
    ship = "If it is yours, put it into the source directory: InferenceConfig(source_directory=...)."
    return (open_model, ship)


def _models(evidence: Evidence) -> tuple[str, ...]:
    """The scoring server's listing of the models."""
    lines = tracebacks.plain(evidence.log_tail)
    starts = [n for n, line in enumerate(lines) if line.startswith("estiva-server: the models in ")]
    if not starts:
        return ()
    listed = [line for line in lines[starts[-1] + 1 :] if line.startswith("  ")]
    files = [line.strip() for line in listed if not line.endswith("/")]
    return wording.first([f"{_MODELS}/{file}" for file in files]) or (f"{_MODELS}/ is empty",)
