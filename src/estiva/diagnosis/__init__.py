"""From evidence to findings: what happened, why, and what to do. Pure; one rule per file in `rules`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from estiva.diagnosis.rules import (
    azureml_name,
    binary_mismatch,
    entry_functions,
    environment,
    exits,
    global_missing,
    gpu,
    import_cycle,
    killed,
    memory_error,
    missing_file,
    missing_module,
    model_damaged,
    module_shadowed,
    network,
    permission,
    pickled_class,
    port_in_use,
    relative_import,
    removed_name,
    script_raised,
    shared_library,
    stored_files,
    syntax_error,
    too_slow,
    unexplained,
    variable_missing,
    version_mismatch,
    wrong_mode,
)
from estiva.records import Evidence, Finding

Rule = Callable[[Evidence], Finding | None]

# Each knows one kind of failure; of two that are equally certain, the first is shown first.
_SPECIFIC: tuple[Rule, ...] = (
    port_in_use.check,
    environment.check,
    stored_files.check,
    killed.check,
    too_slow.check,
    syntax_error.check,
    entry_functions.check,
    exits.check,
    relative_import.check,
    import_cycle.check,
    azureml_name.check,
    module_shadowed.check,
    removed_name.check,
    missing_module.check,
    pickled_class.check,
    version_mismatch.check,
    model_damaged.check,
    missing_file.check,
    variable_missing.check,
    global_missing.check,
    shared_library.check,
    binary_mismatch.check,
    gpu.check,
    memory_error.check,
    network.check,
    permission.check,
    wrong_mode.check,
)
# Asked in this order when none of those does.
_GENERAL: tuple[Rule, ...] = (script_raised.check, unexplained.check)


def diagnose(evidence: Evidence) -> tuple[Finding, ...]:
    """What the evidence of a failed step means, the most certain first; never empty."""
    found = sorted(_found(_SPECIFIC, evidence), key=lambda finding: -finding.certainty)
    return tuple(found) or tuple(_found(_GENERAL, evidence)[:1])


def _found(rules: Iterable[Rule], evidence: Evidence) -> list[Finding]:
    return [finding for rule in rules if (finding := rule(evidence)) is not None]
