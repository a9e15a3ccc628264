"""From evidence to findings: what happened, why, and what to do. Pure; one rule per file in `rules`."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from estiva.diagnosis import runs
from estiva.diagnosis.rules import (
    azureml_name,
    binary_mismatch,
    client,
    entry_functions,
    environment,
    exits,
    global_missing,
    gpu,
    import_cycle,
    input_wrong,
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
    run_late,
    run_raised,
    run_result,
    script_raised,
    shared_library,
    stored_files,
    syntax_error,
    too_slow,
    traffic,
    unexplained,
    variable_missing,
    version_mismatch,
    worker_died,
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


# Of those, which an exception of run() is none of.
_OF_DEPLOYMENTS = {port_in_use.check, environment.check, stored_files.check, killed.check, too_slow.check}
_MOST_FAILURES = 5
# Of a service that runs, each about all that it has done.
_RUNNING: tuple[Rule, ...] = (
    run_late.check,
    worker_died.check,
    run_result.check,
    traffic.check,
    client.check,
)


def diagnose(evidence: Evidence) -> tuple[Finding, ...]:
    """What the evidence of a failed step means, the most certain first; never empty."""
    return _sorted(_found(_SPECIFIC, evidence)) or tuple(_found(_GENERAL, evidence)[:1])


def examine(evidence: Evidence) -> tuple[Finding, ...]:
    """What is wrong with a service that runs, the most certain first; nothing if all is well."""
    failures = [_explained(evidence, failure) for failure in runs.raised(evidence)[:_MOST_FAILURES]]
    return _sorted([*failures, *_found(_RUNNING, evidence)])


def _explained(evidence: Evidence, failure: runs.Raised) -> Finding:
    """An exception of run(): of the data, or of a kind that can end init() too, or of its own."""
    seen = evidence.model_copy(update={"log_tail": failure.lines})
    found = input_wrong.check(evidence, failure)
    if found is not None:
        return found
    known = [rule(seen) for rule in _SPECIFIC if rule not in _OF_DEPLOYMENTS]
    specific = _sorted([finding for finding in known if finding is not None])
    if specific:
        return specific[0].model_copy(update={"evidence": (*specific[0].evidence, failure.quoted)})
    return run_raised.check(evidence, failure)


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: -finding.certainty))


def _found(rules: Iterable[Rule], evidence: Evidence) -> list[Finding]:
    return [finding for rule in rules if (finding := rule(evidence)) is not None]
