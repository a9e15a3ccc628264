"""The supervisor: one small process above the worker, which it starts, watches, replaces and ends.

It must be able to fork at any time, so it has one thread, imports the standard library only, and never runs
the user's code. Everything that happens arrives in one select(): signals, output, what the worker says.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from estiva_server import contract
from estiva_server.child import HANDLED, READY, STUCK, Child, fork
from estiva_server.log import Write, stamp
from estiva_server.settings import Settings
from estiva_server.status import StatusFile

DRAIN_SECONDS = 30.0
"""How long a worker that is asked to end may go on with the requests it has."""
STUCK_GRACE_SECONDS = 2.0
"""When a worker that could not answer by itself is killed: so long after the deadline, and the gateway's."""
CRASHES = 5
STABLE_SECONDS = 10.0
"""A worker that scored a request, or was ready for so long, is no part of a crash loop."""
BACKOFF_SECONDS = (0.0, 0.2, 0.5, 1.0)
"""Before the replacement after the 1st, 2nd, ... crash in a row."""


def run_worker(*arguments: object) -> int:
    """Imported in the worker only: it brings in granian."""
    from estiva_server import worker

    return worker.work(*arguments)  # type: ignore[arg-type]


class Supervisor:
    def __init__(self, settings: Settings, listener: socket.socket, write: Write, status: StatusFile) -> None:
        self._settings = settings
        self._listener = listener
        self._write = write
        self._status = status
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, Child] = {}
        self._serving: Child | None = None
        self._starting: Child | None = None
        self._was_ready = False
        self._draining = False
        self._crashes = 0
        self._start_at: float | None = None
        """When the next worker is due after a crash."""
        self._exit_code: int | None = None
        self._reason = ""

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT, or until the script does not work. Returns the exit status."""
        self._listen_to_signals()
        self._start()
        while self._exit_code is None:
            for key, _ in self._selector.select(self._patience()):
                key.data()
            self._reap()
            self._keep_time()
        self._end()
        return self._exit_code

    def say(self, text: str) -> None:
        self._write(stamp(f"estiva-server: {text}"))

    # --- signals -------------------------------------------------------------------------------------------

    def _listen_to_signals(self) -> None:
        heard, wake = socket.socketpair()
        self._signals = (heard, wake)
        for end in self._signals:
            end.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for number in HANDLED:
            signal.signal(number, lambda *_: None)
        self._watch(heard.fileno(), self._on_signals)

    def _on_signals(self) -> None:
        numbers = set(self._signals[0].recv(4096))
        if numbers & {signal.SIGTERM, signal.SIGINT}:
            self._drain()
        elif signal.SIGHUP in numbers:
            self._reload()

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        self._start_at = None
        self._listener.close()
        self._status.update(phase="draining", reason="It was asked to end.")
        self.say("draining: no new requests, those that run may finish")
        for child in self._children.values():
            self._retire(child)

    def _reload(self) -> None:
        if self._draining:
            return
        self.say("reloading: a fresh worker starts with the script as it is now")
        if self._starting is not None:
            self._retire(self._starting)
        self._crashes = 0
        self._start()

    # --- a worker's life -----------------------------------------------------------------------------------

    def _start(self) -> None:
        self._start_at = None
        try:
            child = fork(self._settings, self._listener, self._write, run_worker)
        except OSError as error:
            self._on_failed_fork(f"A worker could not be started: {error.strerror}.")
            return
        self._children[child.pid] = self._starting = child
        self._watch(child.output, lambda: self._on_output(child))
        self._watch(child.notes, lambda: self._on_notes(child))
        self._publish()

    def _on_failed_fork(self, sentence: str) -> None:
        self.say(sentence)
        if self._serving is None:
            self._count_crash(sentence)
        else:
            self._publish(sentence)

    def _on_output(self, child: Child) -> None:
        if not child.pump():
            self._ignore(child.output)

    def _on_notes(self, child: Child) -> None:
        notes, more = child.hear()
        if not more:
            self._ignore(child.notes)
        for note in notes:
            word, _, sentence = note.partition(" ")
            if word == READY:
                self._promote(child)
            elif word == STUCK:
                self._replace_stuck(child, "run() exceeded its deadline")
            else:
                child.failure = sentence

    def _promote(self, child: Child) -> None:
        """The child serves; the one that served so far finishes what it has."""
        child.ready_at = time.monotonic()
        if child is not self._starting or self._draining:
            return
        before, self._serving, self._starting = self._serving, child, None
        if before is not None:
            self._retire(before)
        self._was_ready = True
        self._publish()
        self.say(f"ready after {child.ready_at - child.began:.2f} s, at {self._address}")

    def _retire(self, child: Child) -> None:
        if not child.retired:
            child.retired = True
            child.kill_at = time.monotonic() + DRAIN_SECONDS
            child.send(signal.SIGTERM)

    def _replace_stuck(self, child: Child, why: str) -> None:
        if child.retired:
            return
        self.say(f"{why}: the worker is replaced")
        self._retire(child)
        if child is self._serving:
            self._serving = None
            self._count_restart()
            if self._starting is None:
                self._start()

    # --- a worker's death ----------------------------------------------------------------------------------

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            # As process 1 of a container we also inherit, and here take away, what others leave behind.
            while (died := os.waitpid(-1, os.WNOHANG))[0]:
                child = self._children.pop(died[0], None)
                if child is not None:
                    self._on_death(child, os.waitstatus_to_exitcode(died[1]))
        if self._draining and not self._children:
            self._finish(contract.EXIT_OK, "It was asked to end.")

    def _on_death(self, child: Child, code: int) -> None:
        self._on_notes(child)
        self._ignore(child.output)
        self._ignore(child.notes)
        child.bury()
        served = child is self._serving
        self._serving = None if served else self._serving
        self._starting = None if child is self._starting else self._starting
        if child.retired:
            self._status.update(worker_pids=tuple(self._children))
        else:
            died = {"worker_exit_code": code} if code >= 0 else {"worker_signal": -code}
            self._status.update(**{"worker_exit_code": None, "worker_signal": None, **died})
            self._on_crash(child, served, _sentence(child, code))

    def _on_crash(self, child: Child, served: bool, sentence: str) -> None:
        self.say(sentence)
        if not self._was_ready:
            self._finish(contract.EXIT_INIT_FAILED, sentence)
            return
        if served:
            self._count_restart()
        if self._serving is not None:
            self._publish(f"The last reload failed: {sentence}")
            self.say("the reload failed; the worker that ran before goes on")
        elif self._starting is None:
            if served and _was_stable(child):
                self._crashes = 0
            self._count_crash(sentence)

    def _count_crash(self, sentence: str) -> None:
        self._crashes += 1
        if self._crashes >= CRASHES:
            self._finish(contract.EXIT_CRASH_LOOP, f"The worker died {CRASHES} times in a row. {sentence}")
            return
        pause = BACKOFF_SECONDS[min(self._crashes, len(BACKOFF_SECONDS)) - 1]
        self._start_at = time.monotonic() + pause
        self._publish(sentence)

    def _count_restart(self) -> None:
        self._status.update(restarts=self._status.status.restarts + 1)

    # --- time ----------------------------------------------------------------------------------------------

    def _patience(self) -> float | None:
        """Seconds until something is due."""
        times = [child.kill_at for child in self._children.values() if child.kill_at is not None]
        if self._start_at is not None:
            times.append(self._start_at)
        if self._limit and self._serving is not None:
            times.append((self._serving.scoreboard.oldest() or time.monotonic()) + self._limit)
        return max(0.0, min(times) - time.monotonic()) if times else None

    @property
    def _limit(self) -> float:
        """Seconds that a run() may take before its worker is killed; 0: no limit."""
        timeout = self._settings.scoring_timeout_ms
        return timeout / 1000 + STUCK_GRACE_SECONDS if timeout else 0.0

    def _keep_time(self) -> None:
        now = time.monotonic()
        if self._limit and self._serving is not None:
            oldest = self._serving.scoreboard.oldest()
            if oldest is not None and oldest + self._limit <= now:
                self._kill_stuck(self._serving)
        for child in self._children.values():
            if child.kill_at is not None and child.kill_at <= now:
                self.say(f"worker {child.pid} did not end within {DRAIN_SECONDS:g} s and is killed")
                child.kill_at = None
                child.send(signal.SIGKILL)
        if self._start_at is not None and self._start_at <= now:
            self._start()

    def _kill_stuck(self, child: Child) -> None:
        """It holds the interpreter's lock, so that not even its watchdog can answer."""
        child.send(signal.SIGKILL)
        self._replace_stuck(child, "run() exceeded its deadline and lets nothing else run")

    # --- the rest ------------------------------------------------------------------------------------------

    @property
    def _address(self) -> str:
        if self._settings.unix_socket is None and self._settings.port == 0:
            return replace(self._settings, port=self._listener.getsockname()[1]).address
        return self._settings.address

    def _watch(self, descriptor: int, call: Callable[[], None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, call)

    def _ignore(self, descriptor: int) -> None:
        with suppress(KeyError):
            self._selector.unregister(descriptor)

    def _publish(self, reason: str = "") -> None:
        phase = "starting" if self._serving is None else "ready"
        self._status.update(phase=phase, worker_pids=tuple(self._children), reason=reason)

    def _finish(self, exit_code: int, reason: str) -> None:
        """The loop ends."""
        if self._exit_code is None:
            self._exit_code = exit_code
            self._reason = reason

    def _end(self) -> None:
        for child in self._children.values():
            child.send(signal.SIGKILL)
            os.waitpid(child.pid, 0)
            child.bury()
        self._listener.close()
        if self._settings.unix_socket is not None:
            self._settings.unix_socket.unlink(missing_ok=True)
        self._status.update(phase="exited", worker_pids=(), exit_code=self._exit_code, reason=self._reason)
        self.say(f"ended with exit status {self._exit_code}. {self._reason}")


def _was_stable(child: Child) -> bool:
    lived = time.monotonic() - (child.ready_at or child.began)
    return child.scoreboard.scored or lived > STABLE_SECONDS


def _sentence(child: Child, code: int) -> str:
    """Why a worker died that was not asked to."""
    if child.failure:
        return child.failure
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
    when = "while it served" if child.ready_at else "while the script was imported or init() ran"
    return f"The worker {how} {when}."
