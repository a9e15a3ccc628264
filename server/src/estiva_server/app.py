"""The HTTP application: score, health, swagger.

It takes a request as a WSGI-like scope and answers by calling `answer`, once, from whatever thread comes to
know the answer first; so it needs no server to be tested. A later answer to the same request is ignored.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import traceback
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qs
from uuid import uuid4

from estiva_server import contract, inputs, metrics, results, swagger
from estiva_server.inputs import InputError, Scope
from estiva_server.scoreboard import Scoreboard
from estiva_server.script import Script, user_frames
from estiva_server.settings import Settings
from estiva_server.slots import Slots

log = logging.getLogger("estiva_server")

ID_LENGTH = 100
"""A request's id may have so many characters."""

Header = tuple[str, str]


class Response(NamedTuple):
    status: int
    headers: list[Header]
    body: bytes


Answer = Callable[[Response], None]

_JSON: Header = ("content-type", "application/json")
_TEXT: Header = ("content-type", "text/plain; charset=utf-8")
_METRICS: Header = ("content-type", metrics.CONTENT_TYPE)
_CLOSE: Header = ("connection", "close")
_RUN_FAILED: Header = (contract.RUN_FAILED_HEADER, "True")
_RUN_SUCCEEDED: Header = (contract.RUN_FAILED_HEADER, "False")

# What a caller may send to find its request again, as it is in the scope and in the answer.
_ECHOED = (
    ("HTTP_X_MS_CLIENT_REQUEST_ID", "x-ms-client-request-id"),
    ("HTTP_X_MS_REQUEST_ID", "x-ms-request-id"),
    ("HTTP_TRACEID", "traceid"),
)


class Exchange:
    """A request and the way to answer it; every answer carries the request's ids."""

    def __init__(self, scope: Scope, answer: Answer) -> None:
        self.scope = scope
        self.id: str = scope.get("HTTP_X_REQUEST_ID") or str(uuid4())
        self.count: Callable[[int], None] | None = None
        """Told the status of the answer; of the first only."""
        self._answer = answer
        self._ids = [(contract.REQUEST_ID_HEADER, self.id)]
        self._ids += [(name, scope[key]) for key, name in _ECHOED if key in scope]

    def reply(self, status: int, body: bytes, *headers: Header) -> None:
        count, self.count = self.count, None
        if count is not None:
            count(status)
        self._answer(Response(status, [*headers, *self._ids], body))

    def fail(self, status: int, message: str, *headers: Header, **details: str) -> None:
        """Answer with {"message": ...}."""
        self.reply(status, json.dumps({"message": message, **details}).encode(), _JSON, *headers)

    def ids_fit(self) -> bool:
        """Answer 431 and return False if an id is too long to be written to the log and sent back."""
        long = [name for name, value in self._ids if len(value) > ID_LENGTH]
        if long:
            self._ids = [one for one in self._ids if one[0] not in long]
            self.fail(431, f"The header {long[0]} is longer than {ID_LENGTH} characters.")
        return not long


class Application:
    def __init__(self, script: Script, settings: Settings, scoreboard: Scoreboard) -> None:
        self.slots = Slots(scoreboard, settings.concurrency)
        self._script = script
        self._settings = settings
        self._scoreboard = scoreboard
        self._counting = threading.Lock()
        self._routes: dict[str, dict[str, Callable[[Exchange], None]]] = {
            contract.SCORE_PATH: {
                "POST": self._score_body,
                "GET": self._score_query,
                "OPTIONS": lambda exchange: exchange.reply(200, b"", _TEXT),
            },
            contract.HEALTH_PATH: {"GET": self._health, "HEAD": self._health},
            contract.SWAGGER_PATH: {"GET": self._swagger},
            contract.METRICS_PATH: {"GET": self._metrics},
        }

    def __call__(self, scope: Scope, answer: Answer) -> None:
        """Answer the request, now or later. Scores beyond the concurrency wait without holding the thread."""
        exchange = Exchange(scope, answer)
        if scope["PATH_INFO"] == contract.SCORE_PATH:
            exchange.count = self._count
        if not exchange.ids_fit():
            return
        verbs = self._routes.get(scope["PATH_INFO"])
        if verbs is None:
            exchange.fail(
                404, f"There is nothing at {scope['PATH_INFO']}. Scores are at {contract.SCORE_PATH}."
            )
            return
        handle = verbs.get(scope["REQUEST_METHOD"])
        if handle is None:
            allowed = ", ".join(sorted(verbs))
            exchange.fail(405, f"{scope['PATH_INFO']} takes {allowed} only.", ("allow", allowed))
            return
        handle(exchange)

    def _health(self, exchange: Exchange) -> None:
        exchange.reply(200, b"Healthy", _TEXT)

    def _count(self, status: int) -> None:
        with self._counting:
            self._scoreboard.count_answer(status)

    def _metrics(self, exchange: Exchange) -> None:
        exchange.reply(200, metrics.render(self._scoreboard.everyone), _METRICS)

    def _swagger(self, exchange: Exchange) -> None:
        version = parse_qs(exchange.scope["QUERY_STRING"]).get("version", [swagger.DEFAULT_VERSION])[-1]
        document = swagger.describe(version, self._settings.app_root, self._settings.service_name)
        if document is None:
            known = ", ".join(swagger.VERSIONS)
            exchange.fail(404, f"There is no description of version {version}; choose one of {known}.")
        else:
            exchange.reply(200, document, _JSON)

    def _score_query(self, exchange: Exchange) -> None:
        self.slots.submit(Score(self, exchange, inputs.query_text(exchange.scope["QUERY_STRING"])))

    def _score_body(self, exchange: Exchange) -> None:
        limit = self._settings.body_limit
        try:
            data = inputs.body_text(inputs.read_body(exchange.scope, limit))
        except InputError as error:
            too_large = error.status == 413
            exchange.fail(error.status, str(error), *([_CLOSE] if too_large else []))
            if too_large:
                inputs.discard(exchange.scope["wsgi.input"], limit)
            return
        self.slots.submit(Score(self, exchange, data))

    def score(self, exchange: Exchange, data: str) -> None:
        """Call run() and answer."""
        headers = inputs.header_names(exchange.scope) if self._script.wants_headers else {}
        began = time.perf_counter()
        try:
            body = results.encode(self._script.run(data, headers))
        except results.ResultError as error:
            log.error("%s (request id %s)", error, exchange.id)  # noqa: TRY400  the sentence is the whole story
            self._fail_score(exchange, str(error))
        except BaseException as error:  # asyncio.CancelledError and SystemExit are failures of run() too
            error = error.with_traceback(user_frames(error.__traceback__))
            log.exception("run() raised an exception (request id %s)", exchange.id, exc_info=error)
            self._fail_score(exchange, "".join(traceback.format_exception(error)))
        else:
            now = time.perf_counter()
            self._scoreboard.note_success(now)
            duration = (contract.RUN_DURATION_HEADER, f"{(now - began) * 1000:.3f}")
            exchange.reply(200, body, _JSON, _RUN_SUCCEEDED, duration)

    def _fail_score(self, exchange: Exchange, trace: str) -> None:
        details = {"traceback": trace} if self._settings.debug else {}
        message = f"The score script failed. The service's log says why, under request id {exchange.id}."
        exchange.fail(502, message, _RUN_FAILED, **details)

    def expire(self, exchange: Exchange, where: str) -> None:
        """Answer 504 while run() still runs."""
        limit = self._settings.scoring_timeout_ms
        exchange.fail(504, f"The score script did not answer within {limit} ms.", _CLOSE)
        log.error(
            "run() did not end within %s ms: answered 504, the worker will be replaced (request id %s). "
            "It was here:\n%s",
            limit,
            exchange.id,
            where,
        )


class Score:
    """A request that is to be scored: the job of a slot."""

    __slots__ = ("_application", "_data", "_exchange")

    def __init__(self, application: Application, exchange: Exchange, data: str) -> None:
        self._application = application
        self._exchange = exchange
        self._data = data

    def run(self) -> None:
        self._application.score(self._exchange, self._data)

    def expire(self, where: str) -> None:
        self._application.expire(self._exchange, where)

    def refuse(self) -> None:
        self._exchange.fail(
            503, "The service is replacing a worker that got stuck. Try again.", ("retry-after", "1"), _CLOSE
        )
