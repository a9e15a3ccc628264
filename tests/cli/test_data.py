from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from estiva.errors import WebserviceException
from estiva.home import Home
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def stopped(run: Run) -> Iterator[None]:
    yield
    run("down")


@pytest.fixture
def collected(home: Home) -> Path:
    """What a service of the default workspace might have collected on two days."""
    root = home.collected("default", "mysvc")
    for number, (designation, day) in enumerate(
        [("inputs", "2026-01-01"), ("inputs", "2026-01-02"), ("predictions", "2026-01-02")]
    ):
        place = root / "linear" / designation / f"{day}.jsonl"
        place.parent.mkdir(parents=True, exist_ok=True)
        record = {
            "time": f"{day}T00:00:0{number}+00:00",
            "request_id": f"r{number}",
            "correlation_id": "c",
            "model": "linear",
            "designation": designation,
            "feature_names": None,
            "data": [number],
        }
        place.write_text(json.dumps(record) + "\n" + '{"half": ')
    return root


def test_show(run: Run, collected: Path) -> None:
    shown = run("data", "show", "mysvc", "-w", "default", "-n", "2")
    assert "r1" in shown
    assert "[2]" in shown
    assert "r0" not in shown
    found = json.loads(run("data", "show", "mysvc", "-w", "default", "--designation", "inputs", "-o", "json"))
    assert [record["data"] for record in found] == [[0], [1]]


def test_export(run: Run, collected: Path, tmp_path: Path) -> None:
    target = tmp_path / "all.jsonl"
    assert "3 records written" in run("data", "export", "mysvc", str(target), "-w", "default")
    assert [json.loads(line)["data"] for line in target.read_text().splitlines()] == [[0], [1], [2]]


def test_nothing_collected_says_how(run: Run, home: Home) -> None:
    with pytest.raises(WebserviceException, match="ModelDataCollector"):
        run("data", "show", "mysvc", "-w", "default")
