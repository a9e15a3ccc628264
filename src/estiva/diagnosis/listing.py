"""What lay in the app root when the script looked there, and what in it is nearest to what was sought."""

from __future__ import annotations

from difflib import SequenceMatcher, get_close_matches
from pathlib import PurePosixPath

from estiva.diagnosis import wording
from estiva.records import Evidence

MODELS = "azureml-models"
_ALIKE = 0.75


def models(evidence: Evidence) -> tuple[str, ...]:
    """The files of the service's models, by their path in the app root; () if that is not known."""
    if not evidence.files:
        return ()
    found = [file for file in evidence.files if file.startswith(f"{MODELS}/")]
    return wording.first(found) or ("the service was deployed without a model",)


def nearest(evidence: Evidence, path: str) -> str | None:
    """The shipped file that was meant most likely: of the same name, else of one like it."""
    name = PurePosixPath(path).name
    by_name = {PurePosixPath(file).name: file for file in reversed(evidence.files)}
    if name in by_name:
        same = [file for file in evidence.files if PurePosixPath(file).name == name]
        return max(same, key=lambda file: SequenceMatcher(None, file, path).ratio())
    alike = get_close_matches(name, by_name, n=1, cutoff=_ALIKE)
    if alike:
        return by_name[alike[0]]
    suffix = PurePosixPath(name).suffix
    same_kind = [file for file in evidence.files if suffix and suffix != ".py" and file.endswith(suffix)]
    return same_kind[0] if len(same_kind) == 1 else None


def expression(evidence: Evidence, file: str) -> str:
    """Python that finds the file wherever the service runs."""
    parts = PurePosixPath(file).parts
    if parts[0] == MODELS:
        count = len({PurePosixPath(one).parts[1:3] for one in evidence.files if one.startswith(f"{MODELS}/")})
        below = "/".join(parts[3:] if count == 1 else parts[1:])
        return f'os.path.join(os.environ["AZUREML_MODEL_DIR"], "{below}")'
    folder = PurePosixPath(evidence.entry_script).parent
    inside = PurePosixPath(file)
    below = str(inside.relative_to(folder)) if inside.is_relative_to(folder) else f"../{file}"
    return f'os.path.join(os.path.dirname(__file__), "{below}")'
