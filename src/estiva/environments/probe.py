"""What an interpreter is and what is installed in it: a script that runs inside that interpreter.

Standard library only, and syntax of Python 3.7, so that an interpreter that is too old can still say so.
"""

from __future__ import annotations

import json
import os
import site
import sys
import sysconfig


def describe() -> dict[str, str]:
    """The interpreter below any virtual environment: path, version, platform, implementation."""
    path = getattr(sys, "_base_executable", None) or sys.executable
    abi = "{}{}".format(sys.implementation.cache_tag, getattr(sys, "abiflags", ""))
    return {
        "path": os.path.realpath(path),
        "version": "{}.{}.{}".format(*sys.version_info[:3]),
        "platform": f"{sysconfig.get_platform()}-{abi}",
        "implementation": sys.implementation.name,
    }


def installed() -> dict[str, list[str]]:
    """The distributions that this interpreter sees ("name==version", sorted), and where they are."""
    from importlib.metadata import distributions  # Python 3.8; describe() must work without

    folders = site.getsitepackages()
    if site.ENABLE_USER_SITE:
        folders.insert(0, site.getusersitepackages())
    seen: dict[str, str] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name:  # a damaged distribution has none
            seen.setdefault(name.lower().replace("_", "-"), f"{name}=={distribution.version}")
    return {
        "folders": [folder for folder in folders if os.path.isdir(folder)],  # noqa: PTH112
        "packages": sorted(seen.values(), key=str.lower),
    }


def modules() -> dict[str, str]:
    """The top-level modules that installed distributions have, each with "name==version" of that."""
    from importlib.metadata import packages_distributions, version

    return {module: f"{names[0]}=={version(names[0])}" for module, names in packages_distributions().items()}


def main() -> None:
    # The first entry is this script's folder, which is no place of the interpreter.
    sys.path[:] = sys.path[1:]
    answer = {"installed": installed, "modules": modules}.get("".join(sys.argv[1:]), describe)
    json.dump(answer(), sys.stdout)


if __name__ == "__main__":
    main()
