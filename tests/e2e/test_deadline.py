"""A deadline at the published address: through the gateway, for a run() that lets nothing else run."""

from __future__ import annotations

import time

import httpx
import pytest

from estiva import LocalWebservice, Model
from tests.e2e.conftest import Project

# A function of the C library called with the interpreter's lock held, as a badly written extension does.
HOLDS_THE_LOCK = """
import ctypes

def init():
    pass

def run(data):
    if data == "stuck":
        ctypes.PyDLL(None).sleep(60)
    return data
"""


@pytest.mark.haproxy
def test_a_run_that_lets_nothing_else_run_is_answered_504_and_the_next_request_is_scored(
    project: Project,
) -> None:
    project.write(HOLDS_THE_LOCK)
    configuration = LocalWebservice.deploy_configuration(scoring_timeout_ms=500)
    service = Model.deploy(project.workspace, "stuck", [], project.inference(), configuration)
    service.wait_for_deployment()
    uri = str(service.scoring_uri)
    began = time.monotonic()
    stuck = httpx.post(uri, content="stuck", timeout=20)
    took = time.monotonic() - began
    following = httpx.post(uri, content="next", timeout=20)
    assert stuck.status_code == 504
    assert 0.5 <= took < 0.6 + 0.4  # others may keep this machine busy
    assert (following.status_code, following.json()) == (200, "next")
