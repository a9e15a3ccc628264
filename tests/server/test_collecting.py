from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from estiva_server import collecting, contract
from estiva_server.collecting import ModelDataCollector
from estiva_server.output import Printing


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(contract.COLLECTED_VARIABLE, str(tmp_path / "collected"))
    return tmp_path / "collected"


def written(root: Path, count: int) -> list[dict[str, Any]]:
    """The records, once there are so many."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        lines = [line for file in root.rglob("*.jsonl") for line in file.read_text().splitlines()]
        if len(lines) >= count:
            return [json.loads(line) for line in lines]
        time.sleep(0.01)
    raise AssertionError(f"not {count} records within 10 s")


def test_a_record_has_the_data_and_the_request(root: Path) -> None:
    inputs = ModelDataCollector("linear", designation="inputs", feature_names=["x"])
    predictions = ModelDataCollector("linear", designation="predictions")
    with Printing("request-1"):
        predictions.collect([2.0], inputs.collect([[1.0]]))
    first, second = sorted(written(root, 2), key=lambda record: record["designation"])
    assert (first["designation"], first["data"], first["feature_names"]) == ("inputs", [[1.0]], ["x"])
    assert (second["designation"], second["data"]) == ("predictions", [2.0])
    assert first["request_id"] == "request-1"
    assert first["correlation_id"] == second["correlation_id"] == "request-1"
    assert {path.relative_to(root).parts[:2] for path in root.rglob("*.jsonl")} == {
        ("linear", "inputs"),
        ("linear", "predictions"),
    }


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (np.array([[1, 2]]), [[1, 2]]),
        (pd.DataFrame({"a": [1], "b": ["x"]}), [{"a": 1, "b": "x"}]),
        ({"score": np.float64(0.5)}, {"score": 0.5}),
        ("text", "text"),
    ],
)
def test_arrays_and_tables(root: Path, data: object, kept: object) -> None:
    ModelDataCollector("kinds").collect(data)
    assert written(root, 1)[0]["data"] == kept


def test_nothing_that_is_collected_fails_a_run(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "RECORD_BYTES", 1000)
    endless: list[object] = []
    endless.append(endless)
    collector = ModelDataCollector("odd/../name")
    for data in (endless, {(1, 2): "no key of JSON"}, "x" * 2000):
        collector.collect(data)
    collector.collect("kept")
    assert [record["data"] for record in written(root, 1)] == ["kept"]
    assert all(root in path.parents for path in root.rglob("*.jsonl"))
    deadline = time.monotonic() + 10
    told = ""
    while "3 records" not in told and time.monotonic() < deadline:
        told += capsys.readouterr().out
    assert "3 records of collected data were left out" in told


def test_a_full_queue_and_a_full_day_lose_records_not_time(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "DAY_BYTES", 0)
    collector = ModelDataCollector("full")
    collector.collect(1)
    assert collector._writer is not None
    collector._writer._queue.join()
    assert [path for path in root.rglob("*.jsonl") if path.stat().st_size] == []
    monkeypatch.setattr(collector._writer, "_queue", queue.Queue(1))
    for number in range(10):
        collector.collect(number)
    assert collector._writer._lost == 9


def test_where_data_are_not_to_be_collected_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(contract.COLLECTED_VARIABLE, raising=False)
    assert ModelDataCollector("linear").collect([1])["$aml_dc_correlation_id"]
    assert list(tmp_path.iterdir()) == []


def test_what_was_collected_last_is_written_at_the_end(root: Path) -> None:
    program = (
        "from estiva_server.shims import install; install()\n"
        "from azureml.monitoring import ModelDataCollector\n"
        "collector = ModelDataCollector('linear', identifier='inputs')\n"
        "for number in range(500): collector.collect(number)\n"
    )
    subprocess.run([sys.executable, "-c", program], env=dict(os.environ), check=True)
    assert len(written(root, 500)) == 500
