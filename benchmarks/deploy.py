"""Time to the first scored answer: `estiva deploy` and `reload()` against the same server started by hand.

Trains one small scikit-learn model, builds its environment once, then measures in interleaved rounds, so that
whatever else slows the machine down slows all three; what counts is the median's ratio to the start by hand.
"""

from __future__ import annotations

import argparse
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import psutil

from estiva import LocalWebservice, Workspace

EXAMPLE = Path(__file__).parent.parent / "examples" / "diabetes"
ESTIVA = Path(sys.executable).with_name("estiva")
LONGEST_WAIT = 120.0
PAUSE = 0.005
MODEL_DIR = "azureml-models/diabetes/1"

DEPLOY_RATIO = 2.0
RELOAD_RATIO = 1.2
RELOAD_EXTRA_SECONDS = 0.3


@dataclass
class Bench:
    """A folder with the example in it, and a workspace of its own below a throw-away `ESTIVA_HOME`."""

    folder: Path
    workspace: Workspace
    revision: int = 0

    def edit(self) -> str:
        """Changes what score.py answers; returns what the new answer contains."""
        self.revision += 1
        text = (EXAMPLE / "score.py").read_text()
        edited = text.replace('{"predictions": model', f'{{"revision": {self.revision}, "predictions": model')
        assert edited != text
        (self.folder / "score.py").write_text(edited)
        return f'"revision":{self.revision},'

    def deploy(self, name: str, port: int) -> None:
        what = ["--model", "diabetes.pkl", "--entry", "score.py", "--env", "environment.yml"]
        command = [str(ESTIVA), "deploy", name, *what, "--port", str(port)]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, timeout=LONGEST_WAIT)


@contextmanager
def bench() -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="estiva-") as temporary:
        os.environ["ESTIVA_HOME"] = str(Path(temporary, "home"))
        folder = Path(temporary, "work")
        shutil.copytree(EXAMPLE, folder)
        subprocess.run([sys.executable, "train.py"], cwd=folder, check=True)
        workspace = Workspace.create("bench")
        workspace.write_config(path=str(folder))
        try:
            yield Bench(folder, workspace)
        finally:
            for service in workspace.webservices.values():
                service.delete()
            subprocess.run([ESTIVA, "down"], check=False, timeout=LONGEST_WAIT)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def answer(port: int, body: bytes) -> str:
    """What /score answers, without spaces; empty if it does not score (yet)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/score", body)
        response = connection.getresponse()
        return response.read().decode().replace(" ", "") if response.status == http.HTTPStatus.OK else ""
    except OSError:
        return ""
    finally:
        connection.close()


def seconds_until(expected: str, port: int, body: bytes, start: Callable[[], object]) -> float:
    """Seconds from calling `start` to the first answer that contains what is expected."""
    with ThreadPoolExecutor(1) as executor:
        began = time.perf_counter()
        starting = executor.submit(start)
        while expected not in answer(port, body):
            if starting.done():
                starting.result()
            if time.perf_counter() - began > LONGEST_WAIT:
                raise TimeoutError(f"no answer with {expected} within {LONGEST_WAIT} s")
            time.sleep(PAUSE)
        took = time.perf_counter() - began
        starting.result()
    return took


def interpreter_of_services() -> str:
    """The interpreter that the running replica was started with: its environment's own."""
    home = os.environ["ESTIVA_HOME"]
    for process in psutil.process_iter(["cmdline"]):
        command: list[str] = process.info["cmdline"] or []
        if "estiva_server" in command and command[0].startswith(home):
            return command[0]
    raise LookupError("no replica runs below " + home)


@contextmanager
def app_root(work: Bench) -> Iterator[Path]:
    """A folder laid out as a replica's app root is."""
    with tempfile.TemporaryDirectory(dir=work.folder) as folder:
        root = Path(folder)
        (root / MODEL_DIR).mkdir(parents=True)
        shutil.copy(work.folder / "diabetes.pkl", root / MODEL_DIR)
        shutil.copy(work.folder / "score.py", root)
        yield root


def by_hand(work: Bench, python: str, body: bytes, expected: str) -> float:
    port = free_port()
    command = [python, "-m", "estiva_server", "--entry-script", "score.py"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        variables = {**os.environ, "AML_APP_ROOT": str(root), "AZUREML_MODEL_DIR": MODEL_DIR}
        quiet = subprocess.DEVNULL
        started.append(subprocess.Popen(command, cwd=root, env=variables, stdout=quiet, stderr=quiet))

    with app_root(work) as root:
        try:
            return seconds_until(expected, port, body, start)
        finally:
            for server in started:
                server.terminate()
                server.wait(LONGEST_WAIT)


def measure(rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {"by hand": [], "deploy": [], "reload": []}
    with bench() as work:
        body = (work.folder / "sample.json").read_bytes()
        expected, port = work.edit(), free_port()
        seconds_until(expected, port, body, partial(work.deploy, "bench", port))
        python = interpreter_of_services()
        service = LocalWebservice(work.workspace, "bench")
        for number in range(1, rounds + 1):
            seconds["by hand"].append(by_hand(work, python, body, expected))
            name, other = f"round-{number}", free_port()
            seconds["deploy"].append(seconds_until(expected, other, body, partial(work.deploy, name, other)))
            LocalWebservice(work.workspace, name).delete()
            expected = work.edit()
            seconds["reload"].append(seconds_until(expected, port, body, service.reload))
    return seconds


def report(seconds: dict[str, list[float]]) -> bool:
    """Prints the table; whether both targets are met."""
    middle = {name: median(times) for name, times in seconds.items()}
    hand = middle["by hand"]
    targets = {
        "deploy": (DEPLOY_RATIO * hand, f"{DEPLOY_RATIO} x"),
        "reload": (
            RELOAD_RATIO * hand + RELOAD_EXTRA_SECONDS,
            f"{RELOAD_RATIO} x + {RELOAD_EXTRA_SECONDS} s",
        ),
    }
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, {len(seconds['deploy'])} rounds")
    print(f"{'seconds':8} {'median':>7} {'least':>7} {'most':>7} {'ratio':>6}  target")
    for name, times in seconds.items():
        row = f"{name:8} {middle[name]:7.3f} {min(times):7.3f} {max(times):7.3f} {middle[name] / hand:6.2f}"
        if name in targets:
            most, said = targets[name]
            row += f"  at most {said}: {'met' if middle[name] <= most else 'MISSED'}"
        print(row)
    return all(middle[name] <= most for name, (most, _) in targets.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a target is missed")
    arguments = parser.parse_args()
    if not report(measure(arguments.rounds)) and arguments.strict:
        sys.exit(1)


if __name__ == "__main__":
    main()
