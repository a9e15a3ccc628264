"""The script reads an environment variable that is not set."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding

_READS = re.compile(r"\benviron\b")
_NAME = re.compile(r"'(?P<name>\w+)'")


def check(evidence: Evidence) -> Finding | None:
    for raised in reversed(tracebacks.chain(evidence)):
        found = _NAME.fullmatch(raised.message)
        if raised.exception == "KeyError" and found and _READS.search(raised.source):
            name = found["name"]
            return Finding(
                code="VariableMissing",
                title=wording.title(raised, f"the environment variable {name} is not set"),
                what=f"The script reads os.environ[{name!r}], and the service has no such variable.",
                why="A service has the variables that it is deployed with, not those of your shell.",
                evidence=wording.quote(raised),
                todo=(
                    (
                        f"Deploy with it: a file with the line {name}=VALUE and `--env-file FILE` "
                        "(--secrets-file for a password or key)."
                    ),
                    (
                        f"In Python: environment.environment_variables = {{{name!r}: VALUE}}, or "
                        "deploy_configuration(environment_variables=..., secrets=...)."
                    ),
                ),
            )
    return None
