"""What may happen to processes, and that it is seen and survived."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from estiva.errors import TargetException
from estiva.home import Home
from estiva.records import Mount, Observation, ReplicaPhase
from estiva.targets.process import ProcessTarget, _translated
from tests.targets.site import Site

STARTS_A_PROGRAM = """
import subprocess, sys

def init():
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], {options})
    print("program", program.pid, "started")

def run(data):
    return data
"""
FORKS = """
import os, time

def init():
    pid = os.fork()
    if pid == 0:
        time.sleep(600)
    print("fork", pid)

def run(data):
    return data
"""


@pytest.fixture
def site(process_site: Site) -> Site:
    return process_site


def replica_folder(site: Site, generation: int = 1, index: int = 0) -> Path:
    return site.folder / "home" / "replicas" / "wayne" / "diabetes" / str(generation) / str(index)


def supervisor(site: Site) -> int:
    return int(json.loads((replica_folder(site) / "run" / "status.json").read_text())["pid"])


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_killed_supervisor_is_seen_and_its_replica_is_started_again(site: Site) -> None:
    launch = site.launch()
    site.target().apply(launch)
    site.wait_for(ReplicaPhase.READY)
    killed = supervisor(site)
    os.kill(killed, signal.SIGKILL)
    (dead,) = site.wait_for(ReplicaPhase.EXITED)
    assert dead.reason == "The replica's supervisor was killed while it was ready."
    wait(lambda: not psutil.pid_exists(killed))  # reaped, though it was a child of this process
    site.target().apply(launch)
    (replica,) = site.wait_for(ReplicaPhase.READY)
    assert replica.restarts == 1
    assert sum("init ran" in line for line in site.target().logs(site.key)) == 2


def test_how_many_requests_it_takes_is_known_while_it_is_started_again(site: Site) -> None:
    slow_again = (
        "import pathlib, time\n"
        "def init():\n"
        "    if pathlib.Path('was').exists(): time.sleep(60)\n"
        "    pathlib.Path('was').touch()\n"
        "def run(data): return data\n"
    )
    launch = site.launch(slow_again, variables={"ESTIVA_BATCH_MAX_SIZE": "8"})
    site.target().apply(launch)
    assert site.wait_for(ReplicaPhase.READY)[0].capacity == 8
    os.kill(supervisor(site), signal.SIGKILL)
    site.wait_for(ReplicaPhase.EXITED)
    site.target().apply(launch)
    (again,) = site.wait_for(ReplicaPhase.STARTING)
    assert again.capacity == 8


def test_a_replica_that_dies_again_and_again_is_started_with_growing_pauses(site: Site) -> None:
    launch = site.launch()
    site.target().apply(launch)
    for restarts in (1, 2):
        site.wait_for(ReplicaPhase.READY)
        os.kill(supervisor(site), signal.SIGKILL)
        site.wait_for(ReplicaPhase.EXITED)

        def back(seen: Observation, restarts: int = restarts) -> bool:
            return [(r.phase, r.restarts) for r in seen.replicas] == [(ReplicaPhase.READY, restarts)]

        begun = time.monotonic()
        site.wait(back, apply=launch)
    assert time.monotonic() - begun > 0.5


def test_replicas_survive_whoever_started_them_and_a_new_target_ends_them(site: Site, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    code = (
        "import sys; from pathlib import Path; from estiva.records import Launch\n"
        "from estiva.targets.process import ProcessTarget\n"
        f"target = ProcessTarget(Path({str(home.replicas)!r}), Path({str(home.runtime)!r}))\n"
        "target.apply(Launch.model_validate_json(sys.stdin.read()))\n"
        "print('applied', flush=True); sys.stdin.close(); import time; time.sleep(600)\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdin is not None
    assert starter.stdout is not None
    with starter:
        starter.stdin.write(site.launch(replicas=2).model_dump_json())
        starter.stdin.close()
        assert starter.stdout.readline() == "applied\n"
        starter.kill()
    site.wait_for(ReplicaPhase.READY, replicas=2)
    pid = supervisor(site)
    site.target().delete(site.key)
    assert not running(pid)


def test_a_starter_killed_just_after_the_start_leaves_a_replica_that_can_be_ended(site: Site) -> None:
    site.target().apply(site.launch())
    site.wait_for(ReplicaPhase.READY)
    labels = replica_folder(site) / "replica.json"
    labels.write_text(json.dumps({**json.loads(labels.read_text()), "pid": None}))
    pid = supervisor(site)
    site.target().apply(site.launch())
    assert [r.phase for r in site.target().observe(site.key).replicas] == [ReplicaPhase.READY]
    site.target().stop(site.key, 1)
    assert not running(pid)


def test_a_starter_killed_before_the_start_leaves_no_replica(site: Site) -> None:
    site.target().apply(site.launch())
    site.wait_for(ReplicaPhase.READY)
    site.target().stop(site.key, 1)
    (replica_folder(site) / "app.new").mkdir()
    assert site.target().observe(site.key).replicas == ()
    site.target().apply(site.launch())
    site.wait_for(ReplicaPhase.READY)


def test_what_a_script_started_goes_with_its_replica(site: Site) -> None:
    site.target().apply(site.launch(STARTS_A_PROGRAM.format(options="start_new_session=True")))
    site.wait_for(ReplicaPhase.READY)
    (line,) = [line for line in site.target().logs(site.key) if " program " in line]
    program = int(line.split()[-2])
    assert running(program)
    site.target().stop(site.key, 1)
    wait(lambda: not running(program))


def test_what_a_script_started_goes_when_a_killed_replica_is_started_again(site: Site) -> None:
    launch = site.launch(STARTS_A_PROGRAM.format(options=""))
    site.target().apply(launch)
    site.wait_for(ReplicaPhase.READY)
    (line,) = [line for line in site.target().logs(site.key) if " program " in line]
    program = int(line.split()[-2])
    os.kill(supervisor(site), signal.SIGKILL)
    site.wait_for(ReplicaPhase.EXITED)
    site.target().apply(launch)
    wait(lambda: not running(program))


def test_a_fork_of_the_script_does_not_make_a_dead_replica_look_alive(site: Site) -> None:
    site.target().apply(site.launch(FORKS))
    site.wait_for(ReplicaPhase.READY)
    os.kill(supervisor(site), signal.SIGKILL)
    site.wait_for(ReplicaPhase.EXITED)
    site.target().apply(site.launch(FORKS))
    site.wait_for(ReplicaPhase.READY)
    site.target().stop(site.key, 1)
    (*_, first, second) = [line for line in site.target().logs(site.key) if " fork " in line]
    wait(lambda: not running(int(first.split()[-1])) and not running(int(second.split()[-1])))


def test_a_replica_that_does_not_drain_is_killed(site: Site) -> None:
    site.target().apply(site.launch())
    site.wait_for(ReplicaPhase.READY)
    pid = supervisor(site)
    os.kill(pid, signal.SIGSTOP)
    home = Home(site.folder / "home")
    begun = time.monotonic()
    ProcessTarget(home.replicas, home.runtime, drain=0.2).stop(site.key, 1)
    assert 0.2 < time.monotonic() - begun < 5
    assert not running(pid)
    assert site.target().observe(site.key).replicas == ()


def test_a_folder_with_a_very_long_path_is_no_obstacle(site: Site, tmp_path: Path) -> None:
    home = Home(tmp_path / ("long" * 30) / "home").create()
    site.options = {"root": home.replicas, "runtime": home.runtime}
    site.target().apply(site.launch())
    (replica,) = site.wait_for(ReplicaPhase.READY)
    assert len(os.fsencode(home.replicas)) > 108
    assert len(os.fsencode(replica.address.removeprefix("unix:"))) <= 104
    site.target().delete(site.key)
    home.runtime.rmdir()


def test_secrets_are_in_the_process_and_nowhere_on_disk(site: Site) -> None:
    script = "import os\ndef init(): print('long', len(os.environ['TOKEN']))\ndef run(data): return data\n"
    site.target().apply(site.launch(script, secrets={"TOKEN": SecretStr("xyzzy-plugh")}))
    site.wait_for(ReplicaPhase.READY)
    assert any(line.endswith("long 11") for line in site.target().logs(site.key))
    for file in (site.folder / "home").rglob("*"):
        assert not file.is_file() or b"xyzzy-plugh" not in file.read_bytes()
    assert not any("xyzzy-plugh" in part for part in psutil.Process(supervisor(site)).cmdline())


def test_the_code_is_a_copy_to_write_in_and_the_model_is_shared(site: Site) -> None:
    script = """
import os
from pathlib import Path

def init():
    Path("score.py").write_text("changed")
    print("model:", Path(os.environ["AZUREML_MODEL_DIR"], "model.txt").read_text())

def run(data):
    return data
"""
    launch = site.launch(script)
    code = Path(launch.mounts[0].source)
    (code / "empty").mkdir()
    (code / "score.py").chmod(0o444)
    code.chmod(0o555)
    site.target().apply(launch)
    site.wait_for(ReplicaPhase.READY)
    assert any(line.endswith("model: weights") for line in site.target().logs(site.key))
    assert (code / "score.py").read_text() == script
    app = replica_folder(site) / "app"
    assert (app / "score.py").read_text() == "changed"
    assert (app / "empty").is_dir()
    assert (app / "azureml-models" / "diabetes" / "1").is_symlink()
    site.target().delete(site.key)
    assert (site.folder / "model" / "model.txt").read_text() == "weights"


def test_an_interpreter_that_is_not_there_is_an_error_that_names_it(site: Site) -> None:
    site.python = "/nowhere/python"
    with pytest.raises(TargetException, match="Replica 0 of wayne/diabetes cannot be started: ") as caught:
        site.target().apply(site.launch())
    assert "/nowhere/python" in caught.value.message
    assert site.target().observe(site.key).replicas == ()


def test_content_that_is_not_there_is_an_error_that_names_it(site: Site) -> None:
    launch = site.launch()
    lost = Mount(source="/nowhere/code", target=".", writable=True)
    with pytest.raises(TargetException, match="/nowhere/code"):
        site.target().apply(launch.model_copy(update={"mounts": (lost,)}))
    assert site.target().observe(site.key).replicas == ()
    site.target().apply(launch)
    (replica,) = site.wait_for(ReplicaPhase.READY)
    assert replica.restarts == 0


def test_an_interpreter_without_the_server_says_so(site: Site, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named estiva_server' >&2\nexit 1\n")
    python.chmod(0o755)
    site.python = str(python)
    site.target().apply(site.launch())
    (dead,) = site.wait_for(ReplicaPhase.EXITED)
    assert dead.reason == "The scoring server did not start: No module named estiva_server"
    assert site.target().logs(site.key) == ["No module named estiva_server"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_of_its_own_that_says_what_to_do() -> None:
    with (
        pytest.raises(TargetException, match="Free some space, or move ESTIVA_HOME") as caught,
        _translated("Replica 0 of wayne/diabetes cannot be started"),
        Path("/dev/full").open("w") as file,
    ):
        file.write("x")
    assert caught.value.code == "DiskFull"
