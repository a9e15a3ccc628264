"""Images and services, against a bare `docker build` and `docker run` of the same content.

Images: first build, code-only and unchanged rebuild. Services: redeployed to the first scored request, with
other code and unchanged; the first is to take at most 1.5 times a bare run of a ready image, and a second.

Needs an engine and, where no image registry is in reach, ESTIVA_BASE_IMAGE (`scripts/_engine up` makes one).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx

from estiva import Environment, InferenceConfig, LocalWebservice, Model, Webservice, Workspace
from estiva.sdk.connection import connect

SCRIPT = "import json\n\ndef init(): ...\n\ndef run(data):\n    return json.loads(data)\n"
IMAGE = "estiva-bench"
LONGEST_WAIT = 600.0

Figures = dict[str, float]


class Bench:
    """A folder with a model and a script, packaged as an image."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = Workspace.create("bench", show_output=False)
        (folder / "model.bin").write_bytes(os.urandom(1 << 20))
        self.environment = Environment("bench")
        self.environment.python.conda_dependencies.set_python_version("3.11")
        self.environment.python.conda_dependencies.add_pip_package("tabulate")
        self.edit()

    def edit(self) -> None:
        (self.folder / "score.py").write_text(f"# {uuid.uuid4()}\n{SCRIPT}")

    def inference(self) -> InferenceConfig:
        return InferenceConfig(entry_script=str(self.folder / "score.py"), environment=self.environment)

    def package(self) -> None:
        models = [str(self.folder / "model.bin")]
        Model.package(self.workspace, models, self.inference(), image_name=IMAGE).wait_for_creation()

    def deploy(self) -> None:
        """To the first scored request."""
        configuration = LocalWebservice.deploy_configuration(runtime="docker")
        models = [str(self.folder / "model.bin")]
        service = Model.deploy(self.workspace, IMAGE, models, self.inference(), configuration, overwrite=True)
        service.wait_for_deployment()
        service.run("1")

    def delete(self) -> None:
        Webservice(self.workspace, IMAGE).delete()

    def write_dockerfile(self) -> Path:
        models = [str(self.folder / "model.bin")]
        target = self.folder / "bare"
        Model.package(self.workspace, models, self.inference(), generate_dockerfile=True).save(str(target))
        return target


def docker(*arguments: str, given: str = "") -> str:
    command = ["docker", *arguments]
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, timeout=LONGEST_WAIT, input=given
    ).stdout


@contextmanager
def fresh_base() -> Iterator[str]:
    """A base image that nothing was built upon, so that the first build is one; it goes at the end."""
    base = os.environ.get("ESTIVA_BASE_IMAGE") or os.environ["ESTIVA_TEST_BASE_IMAGE"]
    mark = f"estiva.bench={uuid.uuid4()}"
    docker("build", "--quiet", "--tag", f"{IMAGE}:base", "-", given=f"FROM {base}\nLABEL {mark}\n")
    try:
        yield f"{IMAGE}:base"
    finally:
        left = docker("images", "--quiet", "--filter", f"label={mark}").split()
        docker("rmi", "--force", *dict.fromkeys(left))


def seconds_of_bare_run() -> float:
    """A container of the ready image, to its first scored request."""
    began = time.perf_counter()
    container = docker("run", "--detach", "--publish", "127.0.0.1::5001", f"{IMAGE}:1").strip()
    try:
        address = docker("port", container, "5001").strip()
        while not _scores(f"http://{address}/score"):
            if time.perf_counter() - began > LONGEST_WAIT:
                raise TimeoutError(docker("logs", container))
        return time.perf_counter() - began
    finally:
        docker("rm", "--force", "--volumes", container)


def _scores(url: str) -> bool:
    try:
        return httpx.post(url, content="1").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(rounds: int) -> tuple[Figures, Figures]:
    """Of images, and of services."""
    with tempfile.TemporaryDirectory(prefix="estiva-") as temporary, fresh_base() as base:
        os.environ["ESTIVA_HOME"] = str(Path(temporary, "home"))
        os.environ["ESTIVA_BASE_IMAGE"] = base
        folder = Path(temporary, "work")
        folder.mkdir()
        try:
            bench = Bench(folder)
            return _measure(bench, rounds), _measure_services(bench, rounds)
        finally:
            connect().stop()


def _measure(bench: Bench, rounds: int) -> Figures:
    context = bench.write_dockerfile()
    bare = seconds(lambda: docker("build", "--no-cache", "--quiet", str(context)))
    first = seconds(bench.package)
    unchanged = [seconds(bench.package) for _ in range(rounds)]
    edited = []
    for _ in range(rounds):
        bench.edit()
        edited.append(seconds(bench.package))
    return {"bare": bare, "first": first, "code only": median(edited), "unchanged": median(unchanged)}


def _measure_services(bench: Bench, rounds: int) -> Figures:
    bench.deploy()
    bare = [seconds_of_bare_run() for _ in range(rounds)]
    unchanged = [seconds(bench.deploy) for _ in range(rounds)]
    edited = []
    for _ in range(rounds):
        bench.edit()
        edited.append(seconds(bench.deploy))
    bench.delete()
    return {"bare": median(bare), "code only": median(edited), "unchanged": median(unchanged)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    images, services = measure(parser.parse_args().rounds)
    for title, found in (("image", images), ("service", services)):
        print(f"{title:12} {'seconds':>7} {'ratio':>6}")
        for name, value in found.items():
            print(f"{name:12} {value:7.2f} {value / found['bare']:6.3f}")
    limit = 1.5 * services["bare"] + 1
    print(f"code only, of what it may take ({limit:.2f} s): {services['code only'] / limit:.0%}")


if __name__ == "__main__":
    main()
