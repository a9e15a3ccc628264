"""What services have stays; what they had goes."""

from __future__ import annotations

import os
from pathlib import Path

from estiva import Environment, InferenceConfig, Model
from estiva.control import pruning
from estiva.control.stages import Stages
from estiva.home import Home
from estiva.sdk.connection import connect
from tests.e2e.conftest import Project, answers, wait_until
from tests.environments.conftest import Wheels


def inference(project: Project, wheels: Wheels, name: str) -> InferenceConfig:
    wheels.make(name, "1.0")
    file = wheels.folder / f"{name}.txt"
    file.write_text(f"--no-index\n--find-links {wheels.folder}\n{name}\n")
    environment = Environment.from_pip_requirements(name, file)
    return InferenceConfig(entry_script=str(project.folder / "score.py"), environment=environment)


def prune(home: Home, dry_run: bool) -> list[str]:
    """As another control server would, which has handed out nothing itself."""
    stages = Stages.open(home)
    try:
        found = pruning.prune(stages, dry_run).freed
    finally:
        stages.store.close()
    return [one.kind for one in found]


def test_only_what_no_service_has_is_freed(project: Project, home: Home, tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    wheels = Wheels(tmp_path / "wheels")
    service = Model.deploy(project.workspace, "doubling", [], inference(project, wheels, "one"))
    service.wait_for_deployment()
    assert prune(home, dry_run=True) == []
    service.update(inference_config=inference(project, wheels, "other"))
    service.wait_for_deployment()
    package = home.packages / "0123.tar"
    package.parent.mkdir(exist_ok=True)
    package.write_bytes(b"x")
    # the generation before has its replicas until they have drained
    wait_until(lambda: prune(home, dry_run=True) == ["environment"], 60, "the first environment is not used")
    os.utime(package, (2e9, 2e9))  # a clock that was ahead
    assert prune(home, dry_run=False) == ["environment", "package"]
    assert prune(home, dry_run=False) == []
    assert answers(service)
    service.reload()
    assert answers(service)
    service.delete()
    connect().stop()
    assert sorted(prune(home, dry_run=False)) == ["environment", "scoring server"]
