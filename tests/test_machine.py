from __future__ import annotations

from pathlib import Path

import psutil

from estiva.machine import Machine, machine


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
