from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from estiva.control.capacity import Machine, capped, machine, room
from estiva.records import AutoscalePolicy, Scaling, ServiceSettings

_GB = 1000**3
HERE = Machine(cpus=4, memory=8 * _GB)


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_a_machine_without_limits_is_what_it_is(tmp_path: Path) -> None:
    assert machine(tmp_path).memory == psutil.virtual_memory().total
    assert machine(tmp_path).cpus >= 1


def test_limits_of_a_group_and_of_those_around_it(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/slice/unit\n")
    write(tmp_path / "sys/fs/cgroup/slice/unit", **{"cpu.max": "max 100000\n", "memory.max": "max\n"})
    write(tmp_path / "sys/fs/cgroup/slice", **{"cpu.max": "50000 100000\n", "memory.max": "1000000\n"})
    assert machine(tmp_path) == Machine(0.5, 1_000_000)


def test_limits_of_version_1(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="4:memory:/docker/abc\n2:cpu,cpuacct:/\n")
    write(tmp_path / "sys/fs/cgroup/memory", **{"memory.limit_in_bytes": "2000000\n"})
    write(
        tmp_path / "sys/fs/cgroup/cpu,cpuacct",
        **{"cpu.cfs_quota_us": "25000\n", "cpu.cfs_period_us": "100000\n"},
    )
    assert machine(tmp_path) == Machine(0.25, 2_000_000)
    write(tmp_path / "sys/fs/cgroup/cpu,cpuacct", **{"cpu.cfs_quota_us": "-1\n"})
    assert machine(tmp_path).cpus >= 1


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        (ServiceSettings(), 16),
        (ServiceSettings(cpu_reserved=0.5), 8),
        (ServiceSettings(memory_reserved=3 * _GB), 2),
        (ServiceSettings(cpu_reserved=0.1, memory_reserved=_GB // 10), 40),
        (ServiceSettings(cpu_reserved=64), 1),
    ],
)
def test_as_many_as_have_what_they_reserve(settings: ServiceSettings, most: int) -> None:
    assert room(settings, HERE) == most


def test_more_than_there_is_room_for_is_said() -> None:
    few = ServiceSettings(cpu_reserved=2, memory_reserved=_GB)
    assert capped(Scaling(replicas=2), few, HERE) == Scaling(replicas=2)
    many = capped(Scaling(replicas=5), few, HERE)
    assert many.replicas == 2
    assert many.limit == (
        "At most 2 of 5 replicas: this machine has 4 CPUs and 8.0 GB, and each replica reserves 2 CPUs and "
        "1 GB."
    )
    assert capped(many.model_copy(update={"replicas": 1}), few, HERE).limit == ""


def test_the_bounds_of_autoscaling_stay_as_they_were_set() -> None:
    scaling = Scaling(replicas=20, autoscale=AutoscalePolicy(max_replicas=20))
    found = capped(scaling, ServiceSettings(), HERE)
    assert (found.replicas, found.autoscale) == (16, scaling.autoscale)
    assert found.limit.endswith(
        "a replica that does not say what it needs is taken to need 0.1 CPUs and 0.5 GB."
    )
