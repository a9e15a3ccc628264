"""The supervisor: one small process above the workers, which it starts, watches, replaces and ends.

It must be able to fork at any time, so it has one thread, imports the standard library only, and never runs
the user's code. Everything that happens arrives in one select(): signals, output, what the workers say.

With preloading the user's code runs in a loader (preload.py): the supervisor's one child, which is itself
the supervisor of the workers that it forks.

The workers of a server are replaced together (a reload) or one by one (after a death). Those that were
started together are a generation: it takes over from the one before when all of it are ready.
"""

from __future__ import annotations

import errno
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from estiva_server import contract
from estiva_server.child import DEBUGGED, HANDLED, READY, REPORT, STUCK, Child, Work, fork
from estiva_server.log import Write, stamp
from estiva_server.scoreboard import Scoreboard, make_scoreboards
from estiva_server.settings import Settings
from estiva_server.status import StatusFile, parse

DRAIN_SECONDS = 30.0
"""How long a worker that is asked to end may go on with the requests it has."""
HELD_SECONDS = 2.0
"""The same for one with a debugger, which may hold a request for good."""
STUCK_GRACE_SECONDS = 0.06
"""A worker that has not answered so long after the deadline cannot: it is frozen and replaced."""
FROZEN_SECONDS = 0.14
"""Then it is killed. Meanwhile the gateway answers 504 for it, where a closed connection would be a 502."""
CRASHES = 5
STABLE_SECONDS = 10.0
"""A worker that was ready for so long is no part of a crash loop; nor is one after which any scored."""
BACKOFF_SECONDS = (0.0, 0.2, 0.5, 1.0)
"""Before the replacement after the 1st, 2nd, ... crash in a row."""
GENERATIONS = 4
"""So many may live at a time: one serves, one starts, the others end."""


def run_worker(*arguments: object) -> int:
    """Imported in the worker only: it brings in granian."""
    from estiva_server import worker

    return worker.work(*arguments)  # type: ignore[arg-type]


def run_loader(*arguments: object) -> int:
    """Imported in the loader only."""
    from estiva_server import preload

    return preload.work(*arguments)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Crew:
    """What a supervisor starts."""

    work: Work
    count: int
    """Children that serve at a time."""
    boards: Sequence[Scoreboard]
    """For all children that live at a time."""
    share: int = 1
    """Scoreboards of one child."""
    keep: frozenset[int] = frozenset()
    """Open descriptors of this process that its children keep."""
    inner: bool = False
    """This supervisor is a loader: the one above it speaks, and owns the socket."""


def gather(settings: Settings) -> Crew:
    """The workers, or the loader that preloads them."""
    living = GENERATIONS * settings.workers
    if settings.preload:
        boards = make_scoreboards(GENERATIONS * living, settings.concurrency)
        return Crew(run_loader, 1, boards, share=living)
    return Crew(run_worker, settings.workers, make_scoreboards(living, settings.concurrency))


class Supervisor:
    def __init__(
        self,
        settings: Settings,
        listener: socket.socket,
        write: Write,
        status: StatusFile,
        crew: Crew | None = None,
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._write = write
        self._status = status
        self._crew = crew or gather(settings)
        self._boards = list(self._crew.boards)
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, Child] = {}
        self._serving = 0
        """The generation that serves, if any was ever ready."""
        self._newest = 1
        """The generation that is to be complete: the one that serves, or one that starts."""
        self._started = 1
        """The number of the last generation."""
        self._draining = False
        self._crashes = 0
        self._crashed_at = 0.0
        self._gave_way = False
        """A worker with a debugger has ended, or is to, for one that is not ready yet."""
        self._start_at: float | None = None
        """When missing workers are due after a crash."""
        self._exit_code: int | None = None
        self._reason = ""

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT, or until the script does not work. Returns the exit status."""
        self._listen_to_signals()
        self._fill()
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
        elif signal.SIGHUP in numbers and not self._crew.inner:
            self._reload()

    def _drain(self) -> None:
        if self._draining:
            return
        self._draining = True
        self._start_at = None
        self._listener.close()
        self._status.update(phase="draining", reason="It was asked to end.")
        if not self._crew.inner:
            self.say("draining: no new requests, those that run may finish")
        for child in self._children.values():
            self._retire(child)

    def _reload(self) -> None:
        if self._draining:
            return
        self.say("reloading: fresh workers start with the script as it is now")
        if self._newest != self._serving:
            for child in self._members(self._newest):
                self._retire(child)
        # There is one debugger's port, and whose it is keeps it until it ends.
        for child in self._children.values():
            if child.debugged:
                self._gave_way = True
                self._retire(child)
        self._crashes = 0
        self._started += 1
        self._newest = self._started
        self._fill()

    # --- a worker's life -----------------------------------------------------------------------------------

    def _members(self, generation: int) -> list[Child]:
        """Those that are to stay."""
        children = self._children.values()
        return [child for child in children if child.generation == generation and not child.retired]

    def _ready(self, generation: int) -> list[Child]:
        return [child for child in self._members(generation) if child.ready_at is not None]

    def _fill(self) -> None:
        """Start what the newest generation lacks."""
        if any(child.debugged and child.retired for child in self._children.values()):
            return  # its death comes back here
        self._start_at = None
        missing = self._crew.count - len(self._members(self._newest))
        try:
            for _ in range(missing):
                self._start()
        except OSError as error:
            self._on_failed_fork(f"A worker could not be started: {error.strerror}.")
        else:
            if missing:
                self._publish()

    def _start(self) -> None:
        share = self._boards[: self._crew.share]
        if len(share) < self._crew.share:
            raise OSError(errno.EAGAIN, "too many workers of before have not ended yet")
        child = fork(self._settings, self._listener, self._write, self._crew.work, share, self._crew.keep)
        del self._boards[: self._crew.share]
        child.generation = self._newest
        self._children[child.pid] = child
        self._watch(child.output, lambda: self._on_output(child))
        self._watch(child.notes, lambda: self._on_notes(child))

    def _on_failed_fork(self, sentence: str) -> None:
        self.say(sentence)
        if not self._ready(self._serving):
            self._count_crash(sentence)
        elif self._serving != self._newest:
            self._abandon_reload(sentence)
        else:
            self._start_at = time.monotonic() + BACKOFF_SECONDS[-1]
            self._publish(sentence)

    def _on_output(self, child: Child) -> None:
        if not child.pump():
            self._ignore(child.output)

    def _on_notes(self, child: Child) -> None:
        notes, more = child.hear()
        if not more:
            self._ignore(child.notes)
        for note in notes:
            word, _, rest = note.partition(" ")
            if word == READY:
                child.capacity = int(rest)
                self._promote(child)
            elif word == DEBUGGED:
                child.debugged = True
            elif word == STUCK:
                self._replace_stuck(child, "run() exceeded its deadline")
            elif word == REPORT:
                self._on_report(child, rest)
            else:
                child.failure = rest

    def _promote(self, child: Child) -> None:
        """The child serves. With the last of its generation, those before finish what they have."""
        child.ready_at = time.monotonic()
        if self._draining or child.retired:
            return
        self._gave_way = False
        if self._serving != self._newest and len(self._ready(self._newest)) == self._crew.count:
            self._serving = self._newest
            for other in self._children.values():
                if other.generation != self._serving:
                    self._retire(other)
        if child.generation == self._serving:
            self._publish()
            if self._crew.share == 1:  # a loader has said it
                self.say(f"ready after {child.ready_at - child.began:.2f} s, at {self._address}")

    def _retire(self, child: Child) -> None:
        if not child.retired:
            child.retired = True
            # A loader needs a moment more, to take its own workers with it.
            patience = HELD_SECONDS if child.debugged else DRAIN_SECONDS
            child.kill_at = time.monotonic() + patience + (self._crew.share > 1)
            child.send(signal.SIGTERM)

    def _replace_stuck(self, child: Child, why: str) -> None:
        if child.retired:
            return
        self.say(f"{why}: the worker is replaced")
        self._retire(child)
        self._count_restart(child)
        if self._serving == self._newest and not self._draining:
            self._fill()

    # --- a worker's death ----------------------------------------------------------------------------------

    def _reap(self) -> None:
        # As process 1 of a container we also inherit, and here take away, what others leave behind; but in
        # a loader the script may have started programs and wait for them.
        wanted = list(self._children) if self._crew.inner else [-1]
        for pid, status in _dead(wanted):
            child = self._children.pop(pid, None)
            if child is not None:
                self._on_death(child, os.waitstatus_to_exitcode(status))
        if self._draining and not self._children:
            self._finish(contract.EXIT_OK, "It was asked to end.")

    def _on_death(self, child: Child, code: int) -> None:
        self._on_notes(child)
        self._ignore(child.output)
        self._ignore(child.notes)
        scored_at = max(board.scored_at for board in self._crew.boards)
        self._boards += child.bury()
        if child.retired:
            self._publish(self._status.status.reason)
            if child.debugged and not self._draining:
                self._fill()
        elif code == contract.EXIT_CRASH_LOOP and self._crew.share > 1:
            self._finish(code, child.failure)
        else:
            died = {"worker_exit_code": code} if code >= 0 else {"worker_signal": -code}
            self._status.update(**{"worker_exit_code": None, "worker_signal": None, **died})
            if child.lived() > STABLE_SECONDS or scored_at > self._crashed_at:
                self._crashes = 0
            self._on_crash(child, _sentence(child, code))

    def _on_crash(self, child: Child, sentence: str) -> None:
        self.say(sentence)
        if not self._serving:
            self._finish(contract.EXIT_INIT_FAILED, sentence)
            return
        if child.generation == self._serving and child.ready_at is not None:
            self._count_restart(child)
        if child.generation == self._newest != self._serving:
            self._abandon_reload(sentence)
        elif self._serving == self._newest:
            self._count_crash(sentence)
        else:
            self._publish(sentence)

    def _abandon_reload(self, sentence: str) -> None:
        for child in self._members(self._newest):
            self._retire(child)
        self._newest = self._serving
        if self._ready(self._serving):
            self.say("the reload failed; the worker that ran before goes on")
            self._fill()
            self._publish(f"The last reload failed: {sentence}")
        elif self._gave_way:
            self.say("the reload failed: edit the script, then reload it again")
            self._publish(f"The last reload failed: {sentence}")
        else:
            self._count_crash(sentence)

    def _count_crash(self, sentence: str) -> None:
        """Start again after a pause, which grows from crash to crash; or give up."""
        self._crashes += 1
        self._crashed_at = time.monotonic()
        if self._crashes >= CRASHES:
            self._finish(contract.EXIT_CRASH_LOOP, f"The worker died {CRASHES} times in a row. {sentence}")
            return
        pause = BACKOFF_SECONDS[min(self._crashes, len(BACKOFF_SECONDS)) - 1]
        self._start_at = time.monotonic() + pause
        self._publish(sentence)

    def _count_restart(self, child: Child) -> None:
        child.boards[0].count_restart()
        self._status.update(restarts=self._status.status.restarts + 1)

    # --- time ----------------------------------------------------------------------------------------------

    def _patience(self) -> float | None:
        """Seconds until something is due."""
        times = [child.kill_at for child in self._children.values() if child.kill_at is not None]
        if self._start_at is not None:
            times.append(self._start_at)
        now = time.monotonic()
        times += [(child.boards[0].oldest() or now) + self._limit for child in self._limited()]
        return max(0.0, min(times) - time.monotonic()) if times else None

    @property
    def _limit(self) -> float:
        """Seconds that a run() may take before its worker is frozen."""
        return self._settings.scoring_timeout_ms / 1000 + STUCK_GRACE_SECONDS

    def _limited(self) -> list[Child]:
        """The workers that serve and have a limit; a loader's are its own matter."""
        if not self._settings.scoring_timeout_ms or self._crew.share > 1:
            return []
        return [child for child in self._ready(self._serving) if not child.debugged]

    def _keep_time(self) -> None:
        now = time.monotonic()
        for child in self._limited():
            oldest = child.boards[0].oldest()
            if oldest is not None and oldest + self._limit <= now:
                self._freeze(child)
        for child in self._children.values():
            if child.kill_at is not None and child.kill_at <= now:
                self.say(f"worker {child.pid} has not ended and is killed")
                child.kill_at = None
                child.send(signal.SIGKILL)
        if self._start_at is not None and self._start_at <= now:
            self._fill()

    def _freeze(self, child: Child) -> None:
        """It holds the interpreter's lock, so that not even its watchdog can answer or stop accepting.

        Frozen it accepts nothing either: whoever comes next waits for the worker that takes its place.
        """
        child.send(signal.SIGSTOP)
        self._replace_stuck(child, "run() exceeded its deadline and lets nothing else run")
        child.kill_at = time.monotonic() + FROZEN_SECONDS

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

    def _on_report(self, child: Child, text: str) -> None:
        """A loader says what its workers do."""
        before, child.report = child.report, parse(text)
        news = child.report
        restarts = news.restarts - (before.restarts if before else 0)
        self._status.update(
            restarts=self._status.status.restarts + restarts,
            worker_exit_code=news.worker_exit_code or self._status.status.worker_exit_code,
            worker_signal=news.worker_signal or self._status.status.worker_signal,
        )
        if child.generation == self._serving:
            self._publish(news.reason)

    def _publish(self, reason: str = "") -> None:
        ready = self._ready(self._serving)
        if self._draining:
            phase = "draining"
        else:
            phase = "ready" if any(child.serves for child in ready) else "starting"
        pids = tuple(pid for child in self._children.values() for pid in child.pids)
        capacity = self._crew.count * max((child.capacity for child in ready), default=0)
        self._status.update(
            phase=phase,
            worker_pids=pids,
            capacity=capacity or self._status.status.capacity,
            reason=reason,
        )

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
        self._status.update(phase="exited", worker_pids=(), exit_code=self._exit_code, reason=self._reason)
        if self._crew.inner:
            return
        if self._settings.unix_socket is not None:
            self._settings.unix_socket.unlink(missing_ok=True)
        self.say(f"ended with exit status {self._exit_code}. {self._reason}")


def _dead(wanted: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Process id and wait status of each that has ended; -1 stands for any child."""
    for pid in wanted:
        with suppress(ChildProcessError):
            while (died := os.waitpid(pid, os.WNOHANG))[0]:
                yield died


def _sentence(child: Child, code: int) -> str:
    """Why a worker died that was not asked to."""
    if child.failure:
        return child.failure
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
    when = "while it served" if child.ready_at else "while the script was imported or init() ran"
    return f"The worker {how} {when}."
