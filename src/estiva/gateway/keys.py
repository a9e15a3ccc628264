"""The hashes of keys in the running processes, and in the file that the next process reads."""

from __future__ import annotations

import time
from collections.abc import Set
from pathlib import Path

from estiva.errors import GatewayException
from estiva.gateway.access import KEYS_FILE
from estiva.gateway.runtime import Runtime

_END_SECONDS = 1.0
_POLL_SECONDS = 0.01


class Keys:
    def __init__(self, folder: Path, runtime: Runtime) -> None:
        self._file = folder / KEYS_FILE
        self._runtime = runtime

    def write(self, entries: Set[str]) -> None:
        """For a process that is about to start. The content is hashes, and still nobody else's business."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        candidate = self._file.with_suffix(".new")
        candidate.write_text("".join(f"{entry}\n" for entry in sorted(entries)))
        candidate.replace(self._file)

    def tell(self, entries: Set[str]) -> None:
        """Makes each process, also one that a reload replaced, accept these keys and no others.

        Raises GatewayException if one does not: a key that was withdrawn may still be accepted then.
        """
        for worker in self._runtime.workers().all:
            self._tell_while_it_lives(worker, entries)

    def _tell_while_it_lives(self, worker: int, entries: Set[str]) -> None:
        """One that a reload replaced may end at any moment, in the middle of its answer too."""
        try:
            self._tell(worker, entries)
        except GatewayException:
            if not self._ends(worker):
                raise

    def _ends(self, worker: int) -> bool:
        """The master lists a worker that does not answer any more for another moment."""
        deadline = time.monotonic() + _END_SECONDS
        while worker in self._runtime.workers().all:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _tell(self, worker: int, entries: Set[str]) -> None:
        known = parse(self._runtime.ask(worker, f"show acl {KEYS_FILE}"))
        if known is None:
            return  # no route that it knows asks for keys
        for command, changed in (("add", entries - known), ("del", known - entries)):
            for entry in sorted(changed):
                answer = self._runtime.ask(worker, f"{command} acl {KEYS_FILE} {entry}")
                if answer:
                    raise GatewayException(f"The gateway did not take a key: {answer}.", detail=command)


def parse(answer: str) -> set[str] | None:
    """Reads `show acl`: an address and an entry a line. None if there is no such list."""
    if answer.startswith("Unknown "):
        return None
    return {line.split(maxsplit=1)[1] for line in answer.splitlines() if line.startswith("0x")}
