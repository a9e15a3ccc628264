"""Calls run() for one request or for a batch, and makes what it returned or raised the answers."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from estiva_server import contract, inputs, replies, results, shapes
from estiva_server.exchange import Exchange
from estiva_server.inputs import InputError
from estiva_server.output import Printing
from estiva_server.replies import RUN_FAILED, Header, Reply
from estiva_server.results import ResultError
from estiva_server.scoreboard import Scoreboard
from estiva_server.script import Headers, Script, user_frames
from estiva_server.settings import Settings
from estiva_server.streams import Stream

log = logging.getLogger("estiva_server")

_CLOSE: Header = ("connection", "close")


class Scorer:
    def __init__(self, script: Script, settings: Settings, scoreboard: Scoreboard) -> None:
        self._script = script
        self._run: Callable[[Any, Headers], Any] = script.run
        self._settings = settings
        self._scoreboard = scoreboard

    def score(self, exchange: Exchange, data: Any) -> None:
        """Call run() and answer."""
        headers = inputs.header_names(exchange.scope) if self._script.wants_headers else {}
        began = time.perf_counter()
        try:
            with Printing(exchange.id):
                reply = replies.make_reply(self._run(data, headers), exchange.id, exchange.marks)
        except BaseException as error:  # noqa: BLE001  SystemExit and CancelledError are failures of run() too
            self._fail(exchange, error, data)
        else:
            self._succeed(exchange, reply, time.perf_counter() - began)

    def score_together(self, scores: Sequence[Score]) -> None:
        """Call run() for all of them and answer each.

        When it raises, both halves are tried: of a batch of n, one that makes run() fail is found in at most
        2 log2(n) further calls.
        """
        began = time.perf_counter()
        found = self._run_together(scores)
        seconds = time.perf_counter() - began
        middle = len(scores) // 2
        if isinstance(found, BaseException) and middle:
            self.score_together(scores[:middle])
            self.score_together(scores[middle:])
            return
        each = [found] if isinstance(found, BaseException) else found
        for score, result in zip(scores, each, strict=True):
            self._answer(score, result, seconds)

    def _run_together(self, scores: Sequence[Score]) -> Sequence[Any] | BaseException:
        """A result for each, or what run() raised."""
        wanting = self._script.wants_headers
        headers = [inputs.header_names(score.exchange.scope) for score in scores if wanting]
        try:
            with Printing(_name(scores)):
                found = self._run([score.data for score in scores], headers)
            return results.check_batch(found, len(scores))
        except ResultError as error:
            return [error] * len(scores)
        except BaseException as error:  # noqa: BLE001  as in score()
            return error

    def _answer(self, score: Score, result: Any, seconds: float) -> None:
        """One request of a batch; what is wrong with its answer is no concern of the others."""
        exchange = score.exchange
        try:
            if isinstance(result, BaseException):
                self._fail(exchange, result, score.data)
            else:
                self._succeed(exchange, _whole_reply(result, exchange), seconds)
        except ResultError as error:
            self._fail(exchange, error, score.data)
        except Exception:
            log.exception("A request could not be answered (request id %s)", exchange.id)

    def _succeed(self, exchange: Exchange, reply: Reply, seconds: float) -> None:
        self._scoreboard.note_success(time.monotonic())
        if isinstance(reply.body, Stream):
            exchange.stream = reply.body
        duration = (contract.RUN_DURATION_HEADER, f"{seconds * 1000:.3f}")
        exchange.reply(reply.status, reply.body, *reply.headers, duration)

    def _fail(self, exchange: Exchange, error: BaseException, data: Any) -> None:
        if isinstance(error, InputError):  # of a no-code script, which knows that the request is at fault
            exchange.fail(error.status, str(error))
            return
        if isinstance(error, ResultError):
            trace = str(error)
            log.error("%s (request id %s)", error, exchange.id)
        else:
            error = error.with_traceback(user_frames(error.__traceback__))
            trace = "".join(traceback.format_exception(error))
            given = shapes.describe(data)
            log.error(
                "run() raised an exception (request id %s), given %s", exchange.id, given, exc_info=error
            )
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

    __slots__ = ("_scorer", "data", "exchange")

    def __init__(self, scorer: Scorer, exchange: Exchange, data: Any) -> None:
        self._scorer = scorer
        self.exchange = exchange
        self.data = data

    def run(self) -> None:
        self._scorer.score(self.exchange, self.data)

    def expire(self, where: str) -> None:
        self._scorer.expire(self.exchange, where)

    def refuse(self) -> None:
        self.exchange.fail(
            503, "The service is replacing a worker that got stuck. Try again.", ("retry-after", "1"), _CLOSE
        )


class Batch:
    """Requests that are scored together: the job of a slot."""

    def __init__(self, scorer: Scorer, scores: Sequence[Score]) -> None:
        self._scorer = scorer
        self._scores = scores

    def run(self) -> None:
        self._scorer.score_together(self._scores)

    def expire(self, where: str) -> None:
        """The deadline is that of the batch, further calls for its halves included."""
        for score in self._scores:
            if not score.exchange.answered:
                score.expire(where)
                where = f"(in one call with {_name(self._scores)})"

    def refuse(self) -> None:
        for score in self._scores:
            score.refuse()


def _name(scores: Sequence[Score]) -> str:
    """What the log calls a batch: the id of its first request, and how many more it has."""
    first = scores[0].exchange.id
    return first if len(scores) == 1 else f"{first} +{len(scores) - 1}"


def _whole_reply(result: Any, exchange: Exchange) -> Reply:
    """Raises ResultError also for a stream: it would keep the others waiting for its end."""
    reply = replies.make_reply(result, exchange.id, exchange.marks)
    if isinstance(reply.body, Stream):
        raise ResultError("run() returned a stream for one request of a batch. Return it as a whole instead.")
    return reply
