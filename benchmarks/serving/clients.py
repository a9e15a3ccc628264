"""Clients that check every answer: each a thread with a connection, at a pace or without pauses."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue

CONNECTIONS = 16
PATIENCE_SECONDS = 15.0
CATCH_UP_SECONDS = 1.0
"""A client that was kept waiting makes up for so much of it; for all of it would be more than its rate."""

CLOSED = "closed"
REFUSED = "refused"
SILENT = "no answer"
WRONG = "wrong answer"

SUM_OF_WEIGHTS = 55.0
"""What `predict` makes of a row of ones."""
_ANSWER = re.compile(rb'\{"result": ?\[(?P<result>[0-9.]+)\], ?"worker": ?(?P<worker>[0-9]+)\}')

SCORE = """
import json, os, re, time
from model import predict

def init():
    pass

def run(data):
    given = json.loads(data)
    while given["stuck"] == "loop":
        pass
    if given["stuck"] == "lock":
        re.match("(a+)+b", "a" * 200)  # one call of C, which lets no other thread run
    end = time.thread_time() + COST
    while time.thread_time() < end:
        pass
    return {"result": predict(given["data"]), "worker": os.getpid()}
""".replace("COST", "0.001")
"""A millisecond of CPU, so that it is the server that is at its limit first, not these clients."""


@dataclass(frozen=True)
class Failure:
    """A request that was not answered with 200 and the right content."""

    id: str
    said: str
    """The status, or what else happened."""
    sent: float
    """Of `time.monotonic`, as the next."""
    ended: float
    worker: int | None
    """The process that answered on the same connection before; None on a fresh one."""

    def __str__(self) -> str:
        return f"{self.id}: {self.said} after {self.ended - self.sent:.3f} s, worker {self.worker}"


@dataclass(frozen=True)
class Stuck:
    """A request that was sent to be stuck in run(), and where."""

    kind: str
    id: str
    worker: int
    sent: float
    ended: float


class Clients:
    """What they saw may be read at any time."""

    def __init__(self, port: int, rate: float | None = None) -> None:
        """`rate`: requests per second of all together; None: as many as are answered."""
        self.failures: list[Failure] = []
        self.stuck: list[Stuck] = []
        self.to_be_stuck: SimpleQueue[str] = SimpleQueue()
        """Kinds of stuck requests, "loop" or "lock", each to be sent once by whoever comes first."""
        self.latencies: list[float] = []
        """Seconds, of right answers alone."""
        self._port = port
        self._interval = CONNECTIONS / rate if rate else 0.0
        self._ended = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._work, args=(number,)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    @property
    def counts(self) -> Counter[str]:
        return Counter({"200": len(self.latencies)}) + Counter(one.said for one in self.failures)

    def _work(self, client: int) -> None:
        connection = Connection(self._port)
        due = time.monotonic() + self._interval * client / CONNECTIONS
        number = 0
        while not self._ended.is_set():
            time.sleep(max(0.0, due - time.monotonic()))
            number += 1
            self._ask(connection, f"{client}-{number}", number)
            due = max(due + self._interval, time.monotonic() - CATCH_UP_SECONDS)
        connection.close()

    def _ask(self, connection: Connection, request_id: str, number: int) -> None:
        worker, kind = connection.worker, self._take_stuck(connection)
        sent = time.monotonic()
        said = connection.ask(request_id, number, kind)
        ended = time.monotonic()
        if kind is not None and worker is not None:
            self.stuck.append(Stuck(kind, request_id, worker, sent, ended))
        if said == "200":
            self.latencies.append(ended - sent)
        else:
            self.failures.append(Failure(request_id, said, sent, ended, worker))

    def _take_stuck(self, connection: Connection) -> str | None:
        """Only where it is known which worker it will be."""
        try:
            return self.to_be_stuck.get_nowait() if connection.worker is not None else None
        except Empty:
            return None


class Connection:
    """To whichever worker accepts it."""

    def __init__(self, port: int) -> None:
        self.worker: int | None = None
        """The process at its other end, once known."""
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)

    def ask(self, request_id: str, number: int, stuck: str | None) -> str:
        """The status, or what else happened."""
        body = json.dumps({"data": [[float(number)] * 10], "stuck": stuck})
        headers = {"content-type": "application/json", "x-request-id": request_id}
        try:
            self._http.request("POST", "/score", body, headers)
            response = self._http.getresponse()
            content = response.read()
        except ConnectionRefusedError:
            return self._lose(REFUSED)
        except TimeoutError:
            return self._lose(SILENT)
        except (OSError, http.client.HTTPException):
            return self._lose(CLOSED)
        if response.getheader("x-request-id") != request_id:
            return self._lose(WRONG)
        if response.status != http.HTTPStatus.OK:
            return self._lose(str(response.status))
        return self._check(content, number)

    def close(self) -> None:
        self.worker = None
        self._http.close()

    def _check(self, content: bytes, number: int) -> str:
        answer = _ANSWER.fullmatch(content)
        if answer is None or float(answer["result"]) != SUM_OF_WEIGHTS * number:
            return self._lose(WRONG)
        self.worker = int(answer["worker"]) if self._http.sock is not None else None
        return "200"

    def _lose(self, said: str) -> str:
        self.close()
        return said
