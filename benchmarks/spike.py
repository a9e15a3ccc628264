"""A spike of ten times the load for 20 s: 503s, time to enough replicas, and the way down. The real thing.

A model that takes 100 ms is deployed with autoscaling as it is by default, behind the real gateway. Requests
come at even distances whether or not the ones before were answered, as those of many callers do.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.serving.report import table
from estiva import AksWebservice, InferenceConfig, Model, Webservice, Workspace
from estiva.home import HOME_VARIABLE
from estiva.records import AutoscalePolicy, ReplicaPhase
from estiva.sdk.connection import connect

RUN_SECONDS = 0.1
FACTOR = 10
CALM_SECONDS, SPIKE_SECONDS, AFTER_SECONDS = 15.0, 20.0, 75.0
"""After the spike, long enough for a minute of lower need to be over."""
DOWN_SECONDS = 120.0
"""How long the way down to the minimum is watched at most, without any request."""
_LOOK_SECONDS = 0.1
SCRIPT = f"""
import time

def init():
    pass

def run(data):
    time.sleep({RUN_SECONDS})
    return "done"
"""


@dataclass
class Phase:
    """A time of steady load, and what was answered to the requests that came in it."""

    name: str
    rate: float
    seconds: float
    begun: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    last_rejected: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def take(self, response: httpx.Response) -> None:
        self.statuses[response.status_code] += 1
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self.last_rejected = max(self.last_rejected, time.monotonic() - self.begun)
            self._check(response)
        elif response.status_code != httpx.codes.OK:
            self.wrong.append(f"{response.status_code}: {response.text}")

    def _check(self, response: httpx.Response) -> None:
        """A 503 says how things stood, and when to try again."""
        if (
            "Retry-After" not in response.headers
            or not {"limit", "queue", "replicas"} <= response.json().keys()
        ):
            self.wrong.append(f"503 without its reason: {response.text}")


@dataclass
class Watch:
    """How many replicas were ready, each time that it changed."""

    service: Webservice
    seen: list[tuple[float, int]] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            ready = await asyncio.to_thread(self.ready)
            if not self.seen or self.seen[-1][1] != ready:
                self.seen.append((time.monotonic(), ready))
            await asyncio.sleep(_LOOK_SECONDS)

    def ready(self) -> int:
        self.service.update_deployment_state()
        return sum(replica.phase is ReplicaPhase.READY for replica in self.service.replicas)

    def at(self, moment: float) -> int:
        return [ready for at, ready in self.seen if at <= moment][-1]

    def up(self, replicas: int, since: float) -> float:
        """Seconds from then until so many were ready; NaN if they never were."""
        return next((at - since for at, ready in self.seen if at > since and ready >= replicas), math.nan)

    def down(self, replicas: int, since: float) -> float:
        """Seconds from then until no more were ready; NaN if there were always more."""
        return next((at - since for at, ready in self.seen if at > since and ready <= replicas), math.nan)


async def send(client: httpx.AsyncClient, uri: str, phase: Phase) -> None:
    """Requests at even distances; returns when the last one is answered."""
    phase.begun = time.monotonic()

    async def request() -> None:
        try:
            phase.take(await client.post(uri, content="{}"))
        except httpx.HTTPError as error:
            phase.wrong.append(repr(error))

    sent = []
    for number in range(round(phase.rate * phase.seconds)):
        await asyncio.sleep(max(0.0, phase.begun + number / phase.rate - time.monotonic()))
        sent.append(asyncio.create_task(request()))
    await asyncio.gather(*sent)


async def measure(service: Webservice, phases: list[Phase]) -> Watch:
    """The phases one after the other, then nothing, until there are as few replicas as may be."""
    watch = Watch(service)
    watching = asyncio.create_task(watch.run())
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(limits=limits, timeout=30, trust_env=False) as client:
        for phase in phases:
            await send(client, str(service.scoring_uri), phase)
    deadline = time.monotonic() + DOWN_SECONDS
    while watch.seen[-1][1] > AutoscalePolicy().min_replicas and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)
    watching.cancel()
    return watch


@contextmanager
def deployed() -> Iterator[Webservice]:
    """In a home of its own, all of which is ended and removed."""
    with tempfile.TemporaryDirectory(prefix="estiva-spike-") as folder:
        os.environ[HOME_VARIABLE] = str(Path(folder, "h"))
        script = Path(folder, "score.py")
        script.write_text(SCRIPT)
        workspace = Workspace.create("spike", show_output=False)
        configuration = AksWebservice.deploy_configuration(autoscale_enabled=True, auth_enabled=False)
        service = Model.deploy(
            workspace, "sleeping", [], InferenceConfig(entry_script=str(script)), configuration
        )
        try:
            service.wait_for_deployment()
            yield service
        finally:
            service.delete()
            connect().stop()


def report(phases: list[Phase], watch: Watch) -> None:
    rows = [
        [one.name, f"{one.rate:g}/s", f"{one.statuses.total()}", f"{one.statuses[503]}", _share(one)]
        for one in phases
    ]
    print(table(["", "load", "requests", "503", "share"], rows))
    spike, after = phases[1], phases[2]
    changes = ", ".join(f"{ready} at {at - spike.begun:.1f} s" for at, ready in watch.seen)
    print(f"\nready replicas, from the begin of the spike: {changes}")
    before, running = watch.at(spike.begun), spike.rate * RUN_SECONDS
    wanted = math.ceil(round(running / AutoscalePolicy().target_utilization, 9))
    print(f"one more than before after {watch.up(before + 1, spike.begun):.1f} s")
    print(f"{running:g}, as many as run at a time, after {watch.up(math.ceil(running), spike.begun):.1f} s")
    print(f"{wanted}, as many as the target asks for, after {watch.up(wanted, spike.begun):.1f} s")
    print(f"the last 503 after {spike.last_rejected:.1f} s")
    print(f"{before} again, as before, {watch.down(before, after.begun):.1f} s after the end of the spike")
    least, end = AutoscalePolicy().min_replicas, after.begun + AFTER_SECONDS
    print(f"{least}, the minimum, {watch.down(least, end):.1f} s after the end of all requests")


def _share(phase: Phase) -> str:
    return f"{phase.statuses[503] / phase.statuses.total():.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=5.0, help="requests per second before the spike")
    arguments = parser.parse_args()
    calm = Phase("before", arguments.rate, CALM_SECONDS)
    spike = Phase(f"spike x{FACTOR}", FACTOR * arguments.rate, SPIKE_SECONDS)
    phases = [calm, spike, Phase("after", arguments.rate, AFTER_SECONDS)]
    with deployed() as service:
        watch = asyncio.run(measure(service, phases))
    report(phases, watch)
    wrong = [text for phase in phases for text in phase.wrong]
    for text in wrong[:10]:
        print(f"neither 200 nor a 503 with its reason: {text}")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
