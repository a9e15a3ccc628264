"""Compiled code was built against another version of numpy than the one that is installed."""

from __future__ import annotations

import re

from estiva.diagnosis import packages, tracebacks, wording
from estiva.records import Evidence, Finding

_SAID = (
    re.compile(r"numpy\.\w+ size changed, may indicate binary incompatibility"),
    re.compile(r"numpy\.core\.(?:multiarray|umath) failed to import"),
    re.compile(r"module compiled against (?:ABI|API) version"),
    re.compile(r"compiled using NumPy 1\.x cannot be run in"),
    re.compile(r"_ARRAY_API not found"),
)


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    text = f"{chain[-1].exception}: {chain[-1].message}" if chain else ""
    if not any(pattern.search(text) for pattern in _SAID):
        return None
    raised = chain[-1]
    numpy = packages.installed(evidence.packages, "numpy")
    package = packages.name_of(raised.package) if raised.package else "a package"
    return Finding(
        code="BinaryMismatch",
        title=wording.title(raised, f"{package} was compiled for another numpy"),
        what=wording.exception(raised),
        why=f"Its compiled code expects another numpy than the {numpy or 'one'} that is installed.",
        evidence=wording.quote(raised),
        todo=(
            'Put "numpy<2" into the environment if the package is older than numpy 2 (June 2024).',
            (
                f"Or take a newer {package if raised.package else 'version of the package'}; install both in "
                "one step, by pip alone, so that they are chosen together."
            ),
        ),
    )
