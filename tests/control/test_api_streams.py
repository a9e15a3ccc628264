from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from estiva.control.api import streams
from estiva.control.api.streams import Show
from estiva.errors import EnvironmentException
from estiva.messages import Progress, TrialResult
from estiva.records import Record

RESULT = TrialResult(status=200, body="[1]", seconds=0.5, log=("a",))

SECONDS = 10.0
"""The bound of every wait."""


def streamed(work: Callable[[Show], Record]) -> list[dict[str, Any]]:
    """The lines that a client receives."""
    response = streams.run(work)
    assert response.media_type == "application/x-ndjson"

    async def read() -> str:
        return "".join([str(part) async for part in response.body_iterator])

    return [json.loads(line) for line in asyncio.run(read()).splitlines()]


def test_progress_then_the_result() -> None:
    def work(show: Show) -> Record:
        show(Progress(message="building"))
        show(Progress(kind="bytes", done=1, total=2))
        return RESULT

    first, second, last = streamed(work)
    assert (first["message"], second["done"], second["total"]) == ("building", 1, 2)
    assert last["kind"] == "result"
    assert TrialResult.model_validate(last["result"]) == RESULT


def test_an_error_of_ours_is_the_last_line() -> None:
    def work(show: Show) -> Record:
        show(Progress(message="building"))
        raise EnvironmentException("numpy has no version 99.", code="NoSuchVersion", detail="uv said so")

    assert streamed(work)[-1]["problem"] == {
        "type": "EnvironmentException",
        "code": "NoSuchVersion",
        "message": "numpy has no version 99.",
        "detail": "uv said so",
    }


def test_an_error_of_the_system_says_what_and_where(tmp_path: Path) -> None:
    def work(_show: Show) -> Record:
        (tmp_path / "missing/file").write_text("")
        return RESULT

    (line,) = streamed(work)
    assert line["problem"]["message"] == f"No such file or directory: {tmp_path}/missing/file."


def test_a_defect_of_ours_ends_the_stream_too_and_is_logged() -> None:
    def work(_show: Show) -> Record:
        raise KeyError("surprise")

    with capture_logs() as logged:
        (line,) = streamed(work)
    assert line["problem"]["type"] == "ControlServerException"
    assert line["problem"]["code"] == "InternalError"
    assert "KeyError: 'surprise'" in line["problem"]["message"]
    assert [entry["event"] for entry in logged] == ["stream raised"]


def test_the_work_goes_on_when_the_client_leaves() -> None:
    left, done = threading.Event(), threading.Event()

    def work(show: Show) -> Record:
        show(Progress(message="begun"))
        left.wait(SECONDS)
        show(Progress(message="nobody reads this"))
        done.set()
        return RESULT

    response = streams.run(work)
    del response
    left.set()
    assert done.wait(SECONDS)
