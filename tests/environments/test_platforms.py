from __future__ import annotations

import sys

import pytest

from estiva.environments import interpreters
from estiva.environments.platforms import platform_named
from estiva.errors import EnvironmentException


def test_a_lock_for_this_kind_of_machine_is_this_machine_s_lock() -> None:
    own = interpreters.find(None, sys.executable)
    if not own.platform.startswith("linux-x86_64-"):
        pytest.skip("needs Linux on x86-64")
    series = "{}.{}".format(*sys.version_info)
    for name in ("linux-64", "linux/amd64"):
        assert platform_named(name).interpreter(series, sys.executable).platform == own.platform


def test_a_platform_that_is_unknown_names_those_that_are() -> None:
    with pytest.raises(EnvironmentException, match=r'platform "amiga"\. Choose one of linux-64, '):
        platform_named("amiga")
