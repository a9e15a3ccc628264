from __future__ import annotations

import json

import pytest

from estiva.errors import UserErrorException
from tests.cli.conftest import Run

LOAD = ("replicas", "--rps", "20", "--seconds", "10", "--concurrency", "1")


def fields(told: str) -> dict[str, str]:
    found = (line.split("  ", 1) for line in told.splitlines())
    return {name: value.strip() for name, value in found}


@pytest.mark.parametrize("utilization", ["0.7", "70", "70%"])
def test_the_sizing_rule(run: Run, utilization: str) -> None:
    told = run(*LOAD, "--utilization", utilization)
    assert told.splitlines() == [
        "replicas  286",
        "because   20 requests/s x 10 s / 0.7 utilization / 1 at a time",
    ]


def test_what_it_means_for_this_machine(run: Run) -> None:
    told = fields(run(*LOAD, "--cpu", "1000", "--memory-gb", "0.5"))
    assert told["cpu"] == "286000.0"
    assert told["memory gb"] == "143.0"
    assert told["replicas for cpu here"] == "0"
    assert told["this machine"].startswith("has room for 0 of the 286 replicas: ")


def test_there_may_be_room(run: Run) -> None:
    told = fields(run("replicas", "--rps", "1", "--seconds", "0.5", "--cpu", "0.001"))
    assert told["replicas"] == "1"
    assert told["this machine"] == f"has room for {told['replicas for cpu here']}"


def test_json_for_programs(run: Run) -> None:
    found = json.loads(run(*LOAD, "--memory-gb", "2", "--output", "json"))
    here = found["memory_gb_here"]
    assert found == {
        "replicas": 286,
        "memory_gb": 572.0,
        "memory_gb_here": here,
        "replicas_for_memory_gb_here": int(here / 2),
    }


def test_what_is_wrong_is_said(run: Run) -> None:
    with pytest.raises(UserErrorException, match=r"70, 70% or 0\.7"):
        run(*LOAD, "--utilization", "most")
