"""The script opens a file, or a model, that is not where it looks."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from estiva.diagnosis import listing, tracebacks, wording
from estiva.records import Evidence, Finding, Traceback

_PATH = re.compile(r"(?:\[Errno \d+\] )?(?:No such file or directory|Is a directory): b?'(?P<path>.*)'")
# What libraries say that open files themselves.
_SAID = re.compile(
    r"(?:NO_SUCHFILE|File doesn't exist|file does not exist|No file or directory found at|"
    r"Unable to open file|Could not open|"
    r"SavedModel file does not exist at)\b.*?[\s'\"](?P<path>[\w.\-]*/[\w./\-]+)",
)
_MODEL_ERRORS = {"ModelNotFoundException", "ModelPathNotFoundException"}
_IN_MODEL_DIR = 'os.path.join(os.environ["AZUREML_MODEL_DIR"], "FILE")'


def check(evidence: Evidence) -> Finding | None:
    for raised in reversed(tracebacks.chain(evidence)):
        name = raised.exception.rsplit(".", 1)[-1]
        found = _PATH.search(raised.message) or _SAID.search(raised.message)
        if name == "IsADirectoryError" and found:
            return _folder(evidence, raised, found["path"])
        if name in _MODEL_ERRORS:
            return _model(evidence, raised)
        if name == "FileNotFoundError" or (
            found and name in ("OSError", "ValueError", "NoSuchFile", "XGBoostError")
        ):
            return _file(evidence, raised, found["path"] if found else "")
    return None


def _model(evidence: Evidence, raised: Traceback) -> Finding:
    return Finding(
        code="ModelNotFound",
        title=wording.title(raised, "a model is not in the service"),
        what="The script asked for a model that the service was not deployed with.",
        evidence=(*wording.quote(raised), *listing.models(evidence)),
        todo=(
            (
                "Deploy with that model too (`--model NAME:VERSION`), or correct its name or version in the "
                "script; the evidence lists what the service has: azureml-models/NAME/VERSION/FILE."
            ),
        ),
    )


def _folder(evidence: Evidence, raised: Traceback, path: str) -> Finding:
    inside = [file for file in evidence.files if file.startswith(f"{path}/")]
    only = listing.expression(evidence, inside[0]) if len(inside) == 1 else _IN_MODEL_DIR
    return Finding(
        code="FileIsFolder",
        title=wording.title(raised, f"{path} is a folder, not a file"),
        what=f"The script opened {path} as a file.",
        why="AZUREML_MODEL_DIR names the folder that the model is in, not its file."
        if listing.MODELS in path
        else "",
        evidence=(*wording.quote(raised), *listing.models(evidence)),
        todo=(f"Open the file in it: {only}",),
    )


def _file(evidence: Evidence, raised: Traceback, path: str) -> Finding:
    meant = listing.nearest(evidence, path) if path else None
    return Finding(
        code="FileMissing",
        title=wording.title(raised, f"{path or 'a file'} does not exist"),
        what=f"The script looked for {path or 'a file'} and did not find it.",
        why=_why(evidence, path),
        evidence=(*wording.quote(raised), *listing.models(evidence)),
        todo=_todo(evidence, path, meant),
        certainty=0.95,
    )


def _why(evidence: Evidence, path: str) -> str:
    if listing.MODELS in path:
        return "The folder of the service's models has no such file."
    if _left_behind(evidence, path):
        return "It lies beside the script on your machine, but only the script itself was shipped."
    if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", path):
        return (
            "A service has its models and its source directory, not the files of the machine you wrote it on."
        )
    return "Relative paths begin at the app root: the entry script, or the source directory, and the models."


def _left_behind(evidence: Evidence, path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(set(parts[:1] if not path.startswith("/") else parts[-1:]) & set(evidence.left_behind))


def _todo(evidence: Evidence, path: str, meant: str | None) -> tuple[str, ...]:
    if meant is not None:
        return (
            f"Most likely {meant} is meant: {listing.expression(evidence, meant)}",
            "Otherwise deploy with the model, or the source directory, that holds the file.",
        )
    open_model = f"If it is the model's, open {_IN_MODEL_DIR}, under the name that it was registered with."
    if listing.MODELS in path:
        return ("Correct the name; the evidence lists what the models hold.", open_model)
    ship = (
        "If it is yours, put it into the source directory, ship that (`--source FOLDER`, or "
        'InferenceConfig(source_directory=...)), and open os.path.join(os.path.dirname(__file__), "FILE").'
    )
    return (ship, open_model) if _left_behind(evidence, path) else (open_model, ship)
