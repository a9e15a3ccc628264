"""Streamed answers: one JSON document per line, the last one the result or the problem."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import structlog
from fastapi.responses import StreamingResponse

from estiva.errors import ControlServerException, EstivaError
from estiva.messages import Problem, Progress
from estiva.records import Record

log = structlog.get_logger()

MEDIA_TYPE = "application/x-ndjson"

Show = Callable[[Progress], None]


def lines(records: Iterator[Record]) -> StreamingResponse:
    return StreamingResponse((record.model_dump_json() + "\n" for record in records), media_type=MEDIA_TYPE)


def run(work: Callable[[Show], Record]) -> StreamingResponse:
    """Runs `work` in a thread and streams what it shows, then its result. It goes on if the client leaves."""
    progress: queue.SimpleQueue[Progress] = queue.SimpleQueue()
    threading.Thread(target=_work, args=(work, progress.put), name="stream", daemon=True).start()
    return lines(_until_the_end(progress))


def _work(work: Callable[[Show], Record], show: Show) -> None:
    try:
        show(Progress(kind="result", result=work(show).model_dump(mode="json")))
    except EstivaError as error:
        show(Progress(kind="problem", problem=_problem(error)))
    except OSError as error:
        message = f"{error.strerror or error}: {error.filename or 'on the machine of the control server'}."
        show(Progress(kind="problem", problem=Problem(type="EstivaError", code="OSError", message=message)))
    except Exception as error:
        # A defect of ours must end the stream, or its client would wait for ever.
        log.exception("stream raised")
        show(Progress(kind="problem", problem=_problem(_unexpected(error))))


def _unexpected(error: Exception) -> EstivaError:
    return ControlServerException(
        f"Estiva itself failed: {type(error).__name__}: {error}. This is a defect; the control server's log "
        "has the details for a report.",
        code="InternalError",
    )


def _problem(error: EstivaError) -> Problem:
    return Problem(type=type(error).__name__, code=error.code, message=error.message, detail=error.detail)


def _until_the_end(progress: queue.SimpleQueue[Progress]) -> Iterator[Progress]:
    while True:
        line = progress.get()
        yield line
        if line.kind in ("result", "problem"):
            return
