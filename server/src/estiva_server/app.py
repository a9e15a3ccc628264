"""The HTTP application: score, health, swagger.

It takes a request as a WSGI-like scope and answers by calling `answer`, once, from whatever thread comes to
know the answer first; so it needs no server to be tested. A later answer to the same request is ignored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import parse_qs

from estiva_server import contract, cors, inputs, metrics, swagger
from estiva_server.batches import BatchSlots
from estiva_server.exchange import Answer, Exchange, Response
from estiva_server.inputs import InputError, Scope
from estiva_server.replies import JSON, RUN_SUCCEEDED, Header
from estiva_server.scoreboard import Scoreboard
from estiva_server.scoring import Score, Scorer
from estiva_server.script import Script
from estiva_server.settings import Settings
from estiva_server.slots import Slots

__all__ = ["Application", "Response"]

_TEXT: Header = ("content-type", "text/plain; charset=utf-8")
_METRICS: Header = ("content-type", metrics.CONTENT_TYPE)
_CLOSE: Header = ("connection", "close")


class Application:
    def __init__(
        self, script: Script, settings: Settings, scoreboard: Scoreboard, scorer: Scorer | None = None
    ) -> None:
        """`scorer` takes the place of one that only scores."""
        self._scorer = scorer or Scorer(script, settings, scoreboard)
        self.slots: Slots
        self._submit: Callable[[Score], None]
        if script.batching is None:
            self.slots = Slots(scoreboard, settings.concurrency)
            self._submit = self.slots.submit
        else:
            batches = BatchSlots(scoreboard, settings.concurrency, script.batching, self._scorer)
            self.slots, self._submit = batches, batches.add
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
        self._scoring = score
        self._routes: dict[str, dict[str, Callable[[Exchange], None]]] = {
            **dict.fromkeys((contract.SCORE_PATH, *script.paths), score),
            contract.HEALTH_PATH: {"GET": self._health, "HEAD": self._health},
            contract.SWAGGER_PATH: {"GET": self._swagger, "HEAD": self._swagger},
            contract.METRICS_PATH: {"GET": self._metrics},
        }

    def __call__(self, scope: Scope, answer: Answer) -> None:
        """Answer the request, now or later. Scores beyond the concurrency wait without holding the thread."""
        marks, origins = self._marks, self._settings.cors_origins
        exchange = Exchange(scope, answer, [*marks, *cors.allow(origins, scope)] if origins else marks)
        verbs = self._routes.get(scope["PATH_INFO"])
        if verbs is self._scoring:
            exchange.count = self._count
        if not exchange.ids_fit():
            return
        if verbs is None:
            path = _readable(scope["PATH_INFO"])
            exchange.fail(404, f"There is nothing at {path}. Scores are at {contract.SCORE_PATH}.")
            return
        handle = verbs.get(scope["REQUEST_METHOD"])
        if handle is None:
            self._refuse_verb(exchange, ", ".join(sorted({*verbs, "OPTIONS"})))
        else:
            handle(exchange)

    def scores(self, path: str) -> bool:
        """Whether requests for the path are scored."""
        return self._routes.get(path) is self._scoring

    def _refuse_verb(self, exchange: Exchange, allowed: str) -> None:
        """Asking for the verbs is allowed."""
        if exchange.scope["REQUEST_METHOD"] == "OPTIONS":
            scores = exchange.scope["PATH_INFO"] == contract.SCORE_PATH
            exchange.reply(200, b"", _TEXT, *([RUN_SUCCEEDED] if scores else []), ("allow", allowed))
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
        document = swagger.describe(version, self._settings, self._script.description)
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
        self._submit(Score(self._scorer, exchange, data))


def _readable(path: str) -> str:
    """As people write it; a WSGI path has a character for each byte."""
    return path.encode("latin-1").decode(errors="replace")
