"""The script imports of azureml what only training code needs."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding

_PATTERNS = (
    re.compile(r"cannot import name '(?P<last>\w+)' from '(?P<name>azureml[\w.]*)'"),
    re.compile(r"module '(?P<name>azureml[\w.]*)' has no attribute '(?P<last>\w+)'"),
    re.compile(r"No module named '(?P<name>azureml[\w.]*)'"),
)


def check(evidence: Evidence) -> Finding | None:
    for raised in reversed(tracebacks.chain(evidence)):
        for pattern in _PATTERNS:
            if found := pattern.match(raised.message):
                name = ".".join(filter(None, (found["name"], found.groupdict().get("last"))))
                return Finding(
                    code="AzuremlNameMissing",
                    title=wording.title(raised, f"{name} is not there when a script scores"),
                    what=wording.exception(raised),
                    why="A score script has what scoring needs of azureml: Model.get_model_path, and "
                    "azureml.contrib.services. A workspace, runs and data sets belong to training.",
                    evidence=wording.quote(raised),
                    todo=(
                        (
                            "Remove the import if only get_model_path is used: "
                            "`from azureml.core.model import Model` is there."
                        ),
                        "Put data that scoring needs into a registered model, or the source directory.",
                    ),
                )
    return None
