from __future__ import annotations

from estiva.records import Lock
from estiva.specification import differences, locked_packages

A, B = (f"sha256:{letter * 64}" for letter in "ab")


def lock(requirements: str, *, version: str = "3.11.7", platform: str = "linux-x86_64-cpython-311") -> Lock:
    return Lock(
        python="/usr/bin/python3", python_version=version, platform=platform, requirements=requirements
    )


def test_the_packages_of_a_lock() -> None:
    found = locked_packages(
        lock(
            "--index-url https://packages.example.org/simple\n"
            f"Foo_Bar[extra]==1.0 \\\n    --hash={A} \\\n    --hash={B}\n"
            "thing @ git+https://example.org/thing@0123abc\n"
        )
    )
    assert [str(package) for package in found.values()] == [
        "foo-bar 1.0",
        "thing git+https://example.org/thing@0123abc",
    ]
    assert found["foo-bar"].hashes == {A, B}


def test_what_differs_is_said_in_one_line_each() -> None:
    before = lock(
        f"numpy==1.26.4 --hash={A}\nold==1.0 --hash={A}\nsame==2.0 --hash={A}\nthing==1 --hash={A}\n"
    )
    after = lock(
        f"new==1.5 --hash={A}\nnumpy==2.0.0 --hash={B}\nsame==2.0 --hash={A}\nthing==1 --hash={B}\n",
        version="3.11.9",
    )
    assert differences(before, after) == (
        "python 3.11.7 -> 3.11.9",
        "+ new 1.5",
        "numpy 1.26.4 -> 2.0.0",
        "- old 1.0",
        "thing 1: other files of the same version",
    )
    assert differences(before, before) == ()


def test_another_platform_is_said() -> None:
    assert differences(lock(""), lock("", platform="macosx-arm64-cpython-311")) == (
        "platform linux-x86_64-cpython-311 -> macosx-arm64-cpython-311",
    )
