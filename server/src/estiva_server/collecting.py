"""azureml.monitoring.ModelDataCollector: what a script was asked and what it answered, as JSON lines by day.

`collect` encodes and queues, and a thread writes: it neither waits for the disk nor raises. What does not fit
(the queue, a day's file) is left out, and the log says how much.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import threading
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from estiva_server import contract
from estiva_server.output import current_request

QUEUED_RECORDS = 1000
RECORD_BYTES = 1024 * 1024
DAY_BYTES = 100 * 1024 * 1024
"""Of one designation of a model: a busy service must not fill the disk."""
_DRAIN_SECONDS = 2.0


class ModelDataCollector:
    """Collects for one model and designation ("inputs", "predictions"); `identifier` is the older name."""

    def __init__(
        self,
        model_name: str,
        designation: str = "default",
        feature_names: list[str] | None = None,
        *,
        identifier: str | None = None,
        model_version: int | str | None = None,
        **_others: Any,
    ) -> None:
        self.model_name = model_name
        self.model_version = model_version
        self.designation = identifier or designation
        self.feature_names = feature_names
        self._writer = _writer_for(model_name, self.designation)

    def collect(self, input_data: Any, user_correlation_id: Any = "") -> dict[str, str]:
        """Queues the data. The answer, given to the next `collect`, gives both the same correlation id."""
        correlation = _correlation(user_correlation_id)
        if self._writer is not None:
            self._writer.put(self._record(input_data, correlation))
        return {"$aml_dc_correlation_id": correlation}

    def add_correlations(self, input_data: Any, user_correlation_id: str = "") -> Any:  # noqa: ARG002
        """The data as they are: the id is kept beside them."""
        return input_data

    def _record(self, data: Any, correlation: str) -> bytes | None:
        """None for what JSON cannot hold, or is too large."""
        record = {
            "time": datetime.now(timezone.utc).isoformat(),
            "request_id": current_request(),
            "correlation_id": correlation,
            "model": self.model_name,
            "model_version": self.model_version,
            "designation": self.designation,
            "feature_names": self.feature_names,
            "data": data,
        }
        try:
            line = json.dumps(record, default=_plain).encode() + b"\n"
        except (TypeError, ValueError, RecursionError):
            return None
        return line if len(line) <= RECORD_BYTES else None


def _correlation(given: Any) -> str:
    found = given.get("$aml_dc_correlation_id") if isinstance(given, dict) else given
    return str(found) if found else current_request() or str(uuid.uuid4())


def _plain(value: Any) -> Any:
    """Arrays, tables and numbers of numpy and pandas; anything else as text."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.to_dict("records")
    return value.tolist() if hasattr(value, "tolist") else str(value)


class _Writer:
    """Appends to the day's file in a thread of its own, which starts with the first record: after a fork."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._queue: queue.Queue[bytes] = queue.Queue(QUEUED_RECORDS)
        self._lost = 0
        self._guard = threading.Lock()
        self._pid = 0

    def put(self, line: bytes | None) -> None:
        """None counts as lost."""
        self._ensure_thread()
        if line is None or not self._queued(line):
            self._lost += 1

    def _queued(self, line: bytes) -> bool:
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            return False
        return True

    def _ensure_thread(self) -> None:
        if self._pid == os.getpid():
            return
        with self._guard:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                threading.Thread(target=self._write, name="collected data", daemon=True).start()
                atexit.register(self._drain)

    def _write(self) -> None:
        while True:
            lines = [self._queue.get()]
            while not self._queue.empty():
                lines.append(self._queue.get())
            self._append(lines)
            for _ in lines:
                self._queue.task_done()

    def _append(self, lines: list[bytes]) -> None:
        """One write, which the system appends whole, so that workers may share the file."""
        place = self._folder / f"{datetime.now(timezone.utc):%Y-%m-%d}.jsonl"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with place.open("ab", buffering=0) as file:
                room = file.tell() < DAY_BYTES
                if room:
                    file.write(b"".join(lines))
        except OSError as error:
            print(f"estiva: collected data cannot be written: {error}")
            room = False
        self._lost += 0 if room else len(lines)
        if self._lost:
            lost, self._lost = self._lost, 0
            print(f"estiva: {lost} records of collected data were left out: too many, too large, or no JSON")

    def _drain(self) -> None:
        """At the end of the worker; the disk may take its time, but not for ever."""
        done = threading.Thread(target=self._queue.join, daemon=True)
        done.start()
        done.join(_DRAIN_SECONDS)


_writers: dict[Path, _Writer] = {}


def _writer_for(model: str, designation: str) -> _Writer | None:
    """None where data are not collected: the log says so once."""
    root = os.environ.get(contract.COLLECTED_VARIABLE)
    if not root:
        if not _writers:
            print("estiva: data are not collected: that takes collect_model_data=True, and a process")
        return None
    folder = Path(root) / _safe(model) / _safe(designation)
    return _writers.setdefault(folder, _Writer(folder))


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip(".") or "_"
