"""Runs a script or module with azureml.core made of Estiva, as `python` would run it."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from estiva.azureml import install

_USAGE = "usage: python -m estiva.azureml (SCRIPT | -m MODULE) [ARGUMENT ...]"


def main() -> None:
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help") or arguments == ["-m"]:
        print(_USAGE, file=sys.stdout if "-h" in arguments or "--help" in arguments else sys.stderr)
        sys.exit(0 if arguments and arguments[0] in ("-h", "--help") else 2)
    install()
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        if not Path(arguments[0]).exists():
            sys.exit(f"python -m estiva.azureml: there is no script {arguments[0]} in {Path.cwd()}.")
        sys.argv = arguments
        sys.path[0] = str(Path(arguments[0]).resolve().parent)
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
