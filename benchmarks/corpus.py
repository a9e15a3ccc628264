"""Whether the right finding comes first for each broken project of tests/corpus, and how soon."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from estiva import Workspace
from estiva.home import HOME_VARIABLE, Home
from estiva.sdk.connection import connect
from tests.corpus.cases import Case, cases
from tests.corpus.running import Outcome, Runner, is_right

_ENOUGH = 0.95
_SECONDS = 2.0


def measure(folder: Path, parts: list[str]) -> dict[Case, Outcome]:
    """What the user of each case was told, one after the other."""
    os.environ[HOME_VARIABLE] = str(folder / "h")
    runner = Runner(folder)
    try:
        chosen = [case for case in cases() if not parts or case.part in parts]
        return {case: runner.run(case) for case in chosen}
    finally:
        for name in Workspace.list():
            for service in Workspace.get(name).webservices.values():
                service.delete()
        connect().stop()


def table(found: dict[Case, Outcome]) -> str:
    """Markdown: for each part of the corpus how many are right, and the seconds from failure to finding."""
    parts: defaultdict[str, list[tuple[Case, Outcome]]] = defaultdict(list)
    for case, outcome in found.items():
        parts[case.part].append((case, outcome))
    rows = ["| what is broken | projects | right finding first | from failure to finding: median, slowest |"]
    rows.append("| --- | --- | --- | --- |")
    for part, pairs in parts.items():
        right = sum(is_right(case, outcome) for case, outcome in pairs)
        what = "nothing: healthy look-alikes, which must have no finding" if part == "healthy" else part
        rows.append(f"| {what} | {len(pairs)} | {right} | {_times([outcome for _, outcome in pairs])} |")
    return "\n".join(rows)


def _times(outcomes: list[Outcome]) -> str:
    seconds = sorted(outcome.seconds for outcome in outcomes if outcome.seconds is not None)
    return f"{seconds[len(seconds) // 2]:.2f} s, {seconds[-1]:.2f} s" if seconds else ""


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="estiva-corpus-"))
    try:
        found = measure(folder, sys.argv[1:])
    finally:
        runtime = Home(folder / "h").runtime
        shutil.rmtree(folder)
        shutil.rmtree(runtime, ignore_errors=True)
    print(table(found))
    wrong = [case for case, outcome in found.items() if not is_right(case, outcome)]
    slow = [case for case, outcome in found.items() if (outcome.seconds or 0) > _SECONDS]
    print(f"\nWrong: {[case.name for case in wrong]}")
    print(f"Slower than {_SECONDS:g} s: {[case.name for case in slow]}")
    return int(len(wrong) > (1 - _ENOUGH) * len(found) or bool(slow))


if __name__ == "__main__":
    sys.exit(main())
