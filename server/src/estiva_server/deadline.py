"""The watchdog: answers 504 for a run() that exceeds its deadline, and has the worker replaced."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable

from estiva_server.script import OUR_FOLDER
from estiva_server.slots import Running, Slots


class Watchdog:
    """Watches the slots, in a thread of its own that costs a request nothing.

    All requests have the same deadline, so whatever begins while the watchdog sleeps is due after it wakes:
    it sleeps until the oldest running request is due, or for one whole deadline when nothing runs.
    """

    def __init__(self, slots: Slots, seconds: float, on_expired: Callable[[], None]) -> None:
        """`on_expired` is called at the first expired request, before it is answered."""
        self._slots = slots
        self._seconds = seconds
        self._on_expired = on_expired
        self._expired: set[Running] = set()

    def start(self) -> None:
        threading.Thread(target=self._watch, name="estiva watchdog", daemon=True).start()

    def _watch(self) -> None:
        while True:
            now = time.monotonic()
            watched = [one for one in self._slots.running() if one not in self._expired]
            for running in watched:
                if running.began + self._seconds <= now:
                    self._expire(running)
            began = min((one.began for one in watched if one not in self._expired), default=now)
            time.sleep(began + self._seconds - now)

    def _expire(self, running: Running) -> None:
        if not self._expired:
            # No request may reach this worker any more when the client learns that it can send the next.
            self._on_expired()
            self._slots.close()
        self._expired.add(running)
        running.job.expire(_stack(running.thread))


def _stack(thread: int) -> str:
    """Where the thread is, in the user's code and below."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001  documented, for debugging
    frames = [one for one in traceback.extract_stack(frame) if not one.filename.startswith(OUR_FOLDER)]
    return "".join(traceback.format_list(frames)) if frame else "(it ended meanwhile)"
