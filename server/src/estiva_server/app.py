"""The HTTP application: score, health, swagger.

It takes a request as a WSGI-like scope and answers by calling `answer`, once, from whatever thread comes to
know the answer first; so it needs no server to be tested. A later answer to the same request is ignored.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from estiva_server import contract, cors, inputs, metrics, replies, results, swagger
from estiva_server.exchange import Answer, Exchange, Response
from estiva_server.inputs import InputError, Scope
from estiva_server.output import Printing
from estiva_server.replies import JSON, RUN_FAILED, RUN_SUCCEEDED, Header
from estiva_server.scoreboard import Scoreboard
from estiva_server.script import Script, user_frames
from estiva_server.settings import Settings
from estiva_server.slots import Slots
from estiva_server.streams import Stream

__all__ = ["Application", "Response"]

log = logging.getLogger("estiva_server")

_TEXT: Header = ("content-type", "text/plain; charset=utf-8")
_METRICS: Header = ("content-type", metrics.CONTENT_TYPE)
_CLOSE: Header = ("connection", "close")


class Application:
    def __init__(self, script: Script, settings: Settings, scoreboard: Scoreboard) -> None:
        self.slots = Slots(scoreboard, settings.concurrency)
        self._script = script
        self._settings = settings
        self._scoreboard = scoreboard
        self._counting = threading.Lock()
        self._marks: list[Header] = [(contract.SERVER_VERSION_HEADER, swagger.SERVER)]
        if not settings.tells_version:
            self._marks = []
        score: dict[str, Callable[[Exchange], None]] = {"POST": self._score, "GET": self._score}
        if script.is_raw:
            score |= {"OPTIONS": self._score, "HEAD": self._score}
        self._routes: dict[str, dict[str, Callable[[Exchange], None]]] = {
            contract.SCORE_PATH: score,
            contract.HEALTH_PATH: {"GET": self._health, "HEAD": self._health},
            contract.SWAGGER_PATH: {"GET": self._swagger, "HEAD": self._swagger},
            contract.METRICS_PATH: {"GET": self._metrics},
        }

    def __call__(self, scope: Scope, answer: Answer) -> None:
        """Answer the request, now or later. Scores beyond the concurrency wait without holding the thread."""
        marks, origins = self._marks, self._settings.cors_origins
        exchange = Exchange(scope, answer, [*marks, *cors.allow(origins, scope)] if origins else marks)
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
            self._refuse_verb(exchange, ", ".join(sorted({*verbs, "OPTIONS"})))
        else:
            handle(exchange)

    def _refuse_verb(self, exchange: Exchange, allowed: str) -> None:
        """Asking for the verbs is allowed."""
        if exchange.scope["REQUEST_METHOD"] == "OPTIONS":
            exchange.reply(200, b"", _TEXT, RUN_SUCCEEDED, ("allow", allowed))
        else:
            exchange.fail(405, f"{exchange.scope['PATH_INFO']} takes {allowed} only.", ("allow", allowed))

    def _health(self, exchange: Exchange) -> None:
        exchange.reply(200, b"Healthy", _TEXT)

    def _count(self, status: int) -> None:
        with self._counting:
            self._scoreboard.count_answer(status)

    def _metrics(self, exchange: Exchange) -> None:
        exchange.reply(200, metrics.render(self._scoreboard.everyone), _METRICS)

    def _swagger(self, exchange: Exchange) -> None:
        query = parse_qs(exchange.scope["QUERY_STRING"], keep_blank_values=True)
        version = query.get("version", [swagger.DEFAULT_VERSION])[0]
        document = swagger.describe(version, self._settings, self._script.schema)
        if document is None:
            known = ", ".join(swagger.VERSIONS)
            exchange.fail(404, f"There is no description of version {version}; choose one of {known}.")
        else:
            exchange.reply(200, document, JSON, RUN_SUCCEEDED)

    def _score(self, exchange: Exchange) -> None:
        limit = self._settings.body_limit
        try:
            data = self._script.read(exchange.scope, inputs.read_body(exchange.scope, limit))
        except InputError as error:
            too_large = error.status == 413
            exchange.fail(error.status, str(error), *([_CLOSE] if too_large else []))
            if too_large:
                inputs.discard(exchange.scope["wsgi.input"], limit)
            return
        self.slots.submit(Score(self, exchange, data))

    def score(self, exchange: Exchange, data: Any) -> None:
        """Call run() and answer."""
        headers = inputs.header_names(exchange.scope) if self._script.wants_headers else {}
        began = time.perf_counter()
        try:
            with Printing(exchange.id):
                reply = replies.make_reply(self._script.run(data, headers), exchange.id)
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
            if isinstance(reply.body, Stream):
                exchange.stream = reply.body
            exchange.reply(reply.status, reply.body, *reply.headers, duration)

    def _fail_score(self, exchange: Exchange, trace: str) -> None:
        details = {"traceback": trace} if self._settings.debug else {}
        message = f"The score script failed. The service's log says why, under request id {exchange.id}."
        exchange.fail(502, message, failed=RUN_FAILED, **details)

    def expire(self, exchange: Exchange, where: str) -> None:
        """Answer 504, or cut off the answer that is being sent, while run() still runs."""
        limit = self._settings.scoring_timeout_ms
        if exchange.stream is not None:
            exchange.stream.cut()
            done = "its answer is cut off"
        else:
            message = f"The score script did not answer within {limit} ms."
            exchange.fail(504, message, _CLOSE, failed=RUN_FAILED)
            done = "answered 504"
        log.error(
            "run() did not end within %s ms: %s, the worker will be replaced (request id %s). "
            "It was here:\n%s",
            limit,
            done,
            exchange.id,
            where,
        )


class Score:
    """A request that is to be scored: the job of a slot."""

    __slots__ = ("_application", "_data", "_exchange")

    def __init__(self, application: Application, exchange: Exchange, data: Any) -> None:
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
