"""What happens to the generation that serves while a newer one takes its time to come up."""

from __future__ import annotations

from pathlib import Path

import httpx

from estiva import LocalWebservice
from estiva.home import Home
from estiva.records import ReplicaPhase, StepName
from estiva.sdk.webservice import Webservice
from tests.conftest import processes_in
from tests.e2e.conftest import TRIPLING, Project, body, wait_until

SLOW = TRIPLING.replace(
    'print("init of tripling")',
    "import pathlib, time\n    while not pathlib.Path({go!r}).exists(): time.sleep(0.05)",
)


def deploying(service: Webservice) -> bool:
    """Whether init() of the newest generation runs."""
    service.update_deployment_state()
    return [step.name for step in service.steps if step.state == "running"] == [StepName.INIT]


def running(service: Webservice) -> list[tuple[int, int]]:
    """Generation and index of each replica that lives."""
    alive = (one for one in service._fetch().replicas if one.phase is not ReplicaPhase.EXITED)
    return sorted((one.generation, one.index) for one in alive)


def asked(service: Webservice) -> str:
    """What is answered now; `run` of a Local service waits for the deployment first."""
    return httpx.post(str(service.scoring_uri), content=body(1), timeout=30).text


def test_what_serves_is_restored_and_scaled_while_a_generation_is_deployed(
    project: Project, home: Home, tmp_path: Path
) -> None:
    service = project.deploy()
    go = tmp_path / "go"
    project.write(SLOW.format(go=str(go)))
    service.reload()
    wait_until(lambda: deploying(service), 30, "the new generation starts")

    for process in processes_in(home.replicas / "tests" / "doubling" / "1" / "0"):
        process.kill()
    wait_until(lambda: service._fetch().replicas[0].restarts > 0, 30, "the dead replica is started again")
    wait_until(lambda: asked(service) == "[2]", 30, "it answers")
    service.scale(2)
    wait_until(lambda: running(service) == [(1, 0), (1, 1), (2, 0)], 30, "one more, and none less")
    assert (service.state, deploying(service)) == (LocalWebservice.STATE_DEPLOYING, True)
    assert asked(service) == "[2]"

    go.touch()
    service.wait_for_deployment()
    assert service.run(body(1)) == [3]
    wait_until(
        lambda: running(service) == [(2, 0), (2, 1)], 30, "the new generation alone, as many as wanted"
    )
    assert service.wanted_replicas == 2


def test_a_deletion_ends_a_deployment_and_what_serves(project: Project, home: Home, tmp_path: Path) -> None:
    service = project.deploy()
    project.write(SLOW.format(go=str(tmp_path / "never")))
    service.reload()
    wait_until(lambda: deploying(service), 30, "the new generation starts")
    service.delete()
    assert processes_in(home.replicas) == []
