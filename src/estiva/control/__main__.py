"""`python -m estiva.control`: the control server of the home that `--home` or `ESTIVA_HOME` names."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from estiva.control import daemon
from estiva.home import Home


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m estiva.control", description=__doc__)
    parser.add_argument(
        "--home", type=Path, help="state folder (default: ESTIVA_HOME, or the user's data folder)"
    )
    arguments = parser.parse_args()
    home = Home(arguments.home.absolute()) if arguments.home else Home.current()
    return daemon.run(home)


if __name__ == "__main__":
    sys.exit(main())
