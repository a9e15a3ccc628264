"""The script ends its own process: sys.exit(), or argparse, which finds none of its arguments."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding

_USAGE = re.compile(r"usage: |\S+: error: ")


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    if not chain or chain[-1].exception != "SystemExit":
        return None
    raised = chain[-1]
    usage = [line for line in tracebacks.printed(evidence) if _USAGE.match(line)]
    return Finding(
        code="ScriptExits",
        title=wording.title(raised, "the script ends the process"),
        what="argparse found wrong arguments and ended the process."
        if usage
        else "The script called exit().",
        why="A score script is imported, not run as a command: it gets no arguments."
        if usage
        else "A score script is imported, and serves until it is stopped.",
        evidence=(*wording.quote(raised), *wording.last(usage)),
        todo=(
            'Read settings from os.environ instead, or parse below `if __name__ == "__main__":` only.'
            if usage
            else "Remove the call of exit(); raise an exception if something is wrong.",
        ),
    )
