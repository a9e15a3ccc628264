"""Environments: scikit-learn, pandas and numpy, cold and warm, against venv with pip and against bare uv.

All install the same, the scoring server's own dependency included. Needs a package index; how fast that
answers is in every cold figure, so the contestants take turns, and the medians of their rounds are compared.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from uv import find_uv_bin

import estiva_server
from estiva.environments import Environments
from estiva.environments.pip_settings import configuration_files, pip_settings, uv_variables
from estiva.environments.server import dependencies
from estiva.records import EnvironmentSpecification

PACKAGES = ("scikit-learn", "pandas", "numpy")
LONGEST_WAIT = 900.0
CACHES = {"pip": "PIP_CACHE_DIR", "uv": "UV_CACHE_DIR", "estiva": "UV_CACHE_DIR"}


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=LONGEST_WAIT)


def with_pip(folder: Path) -> None:
    run(sys.executable, "-m", "venv", str(folder))
    cache = ["--cache-dir", os.environ["PIP_CACHE_DIR"]]  # wins over a configuration without one
    run(str(folder / "bin" / "pip"), "install", "--quiet", *cache, *PACKAGES, *dependencies())


def with_uv(folder: Path) -> None:
    run(find_uv_bin(), "venv", "--quiet", "--python", sys.executable, str(folder))
    python = str(folder / "bin" / "python")
    run(find_uv_bin(), "pip", "install", "--quiet", "--python", python, *PACKAGES, *dependencies())


def with_estiva(folder: Path) -> None:
    environments = Environments(folder, Path(estiva_server.__file__).parent)
    spec = EnvironmentSpecification(name="bench", pip_packages=PACKAGES)
    lock = environments.lock(spec, sys.executable, lambda _: None, lambda: False)
    environments.build(lock, lambda _: None, lambda: False)


CONTESTANTS: dict[str, Callable[[Path], None]] = {"pip": with_pip, "uv": with_uv, "estiva": with_estiva}


def seconds(work: Callable[[Path], None], folder: Path) -> float:
    began = time.perf_counter()
    work(folder)
    taken = time.perf_counter() - began
    shutil.rmtree(folder)
    return taken


def measure(rounds: int, root: Path) -> dict[str, dict[str, float]]:
    """Contestant -> "cold" and "warm" -> seconds."""
    found: dict[str, dict[str, list[float]]] = {name: {"cold": [], "warm": []} for name in CONTESTANTS}
    for number in range(rounds):
        for name, work in CONTESTANTS.items():
            cache = root / f"{name}-cache-{number}"
            os.environ[CACHES[name]] = str(cache)
            for kind in ("cold", "warm"):
                found[name][kind].append(seconds(work, root / f"{name}-{kind}"))
            shutil.rmtree(cache, ignore_errors=True)
    return {name: {kind: median(taken) for kind, taken in kinds.items()} for name, kinds in found.items()}


def main() -> None:
    # what pip is told of indexes and folders here, Estiva hands to uv; bare uv is to have the same
    os.environ.update(uv_variables(pip_settings(os.environ, configuration_files(os.environ)), os.environ))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    # beside the checkout's own environments, so that links work: most temporary folders are on another disk
    with tempfile.TemporaryDirectory(prefix="estiva-", dir=Path(sys.prefix).parent) as root:
        found = measure(rounds, Path(root))
    print(f"{'':8} {'cold s':>8} {'x uv':>6} {'warm s':>8} {'x pip':>6}")
    for name, taken in found.items():
        cold, warm = taken["cold"] / found["uv"]["cold"], taken["warm"] / found["pip"]["warm"]
        print(f"{name:8} {taken['cold']:8.2f} {cold:6.2f} {taken['warm']:8.2f} {warm:6.2f}")


if __name__ == "__main__":
    main()
