"""From evidence to findings: what happened, why, and what to do. Pure; one rule per file in `rules`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from estiva.diagnosis.rules import (
    entry_functions,
    environment,
    killed,
    missing_file,
    missing_module,
    pickled_class,
    port_in_use,
    script_raised,
    stored_files,
    syntax_error,
    too_slow,
    unexplained,
    version_mismatch,
)
from estiva.records import Evidence, Finding

Rule = Callable[[Evidence], Finding | None]

# Each knows one kind of failure.
_SPECIFIC: tuple[Rule, ...] = (
    port_in_use.check,
    environment.check,
    stored_files.check,
    killed.check,
    too_slow.check,
    syntax_error.check,
    entry_functions.check,
    missing_module.check,
    pickled_class.check,
    version_mismatch.check,
    missing_file.check,
)
# Asked in this order when none of those does.
_GENERAL: tuple[Rule, ...] = (script_raised.check, unexplained.check)


def diagnose(evidence: Evidence) -> tuple[Finding, ...]:
    """What the evidence of a failed step means, the most certain first; never empty."""
    found = sorted(_found(_SPECIFIC, evidence), key=lambda finding: -finding.certainty)
    return tuple(found) or tuple(_found(_GENERAL, evidence)[:1])


def _found(rules: Iterable[Rule], evidence: Evidence) -> list[Finding]:
    return [finding for rule in rules if (finding := rule(evidence)) is not None]
