"""A place with something to launch: real replicas of real scripts."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from estiva import targets
from estiva.records import Launch, Mount, Observation, Replica, ReplicaPhase, ServiceKey, ServiceSettings
from estiva.targets import Target

WAIT_SECONDS = 20.0
GOOD = """
def init():
    print("init ran")

def run(data):
    return data
"""


@dataclass
class Site:
    """A target of one kind, and what it takes to launch something there."""

    folder: Path
    kind: str
    key: ServiceKey = field(default_factory=lambda: ServiceKey(workspace="wayne", service="diabetes"))
    python: str = sys.executable
    image: str = ""
    options: dict[str, object] = field(default_factory=dict)

    def target(self) -> Target:
        """A new object each time: what it knows is what is there."""
        return targets.load(self.kind, **self.options)

    def launch(
        self,
        script: str = GOOD,
        *,
        generation: int = 1,
        replicas: int = 1,
        variables: dict[str, str] | None = None,
        secrets: dict[str, SecretStr] | None = None,
        settings: ServiceSettings | None = None,
        address: str | None = None,
    ) -> Launch:
        code = self.folder / f"code-{generation}"
        code.mkdir(exist_ok=True)
        (code / "score.py").write_text(script)
        model = self.folder / "model"
        model.mkdir(exist_ok=True)
        (model / "model.txt").write_text("weights")
        return Launch(
            key=self.key,
            generation=generation,
            replicas=replicas,
            python=self.python,
            image=self.image,
            mounts=(
                Mount(source=str(code), target=".", writable=True),
                Mount(source=str(model), target="azureml-models/diabetes/1", writable=False),
            ),
            entry_script="score.py",
            model_dir="azureml-models/diabetes/1",
            variables=variables or {},
            secrets=secrets or {},
            settings=settings or ServiceSettings(),
            address=address,
        )

    def wait(
        self,
        what: Callable[[Observation], bool],
        *,
        apply: Launch | None = None,
        seconds: float = WAIT_SECONDS,
    ) -> Observation:
        """Observes (and applies the launch, as the control loop does) until it is so."""
        target = self.target()
        deadline = time.monotonic() + seconds
        while not what(seen := target.observe(self.key)):
            assert time.monotonic() < deadline, f"{seen}\n" + "\n".join(target.logs(self.key))
            if apply is not None:
                target.apply(apply)
            time.sleep(0.01)
        return seen

    def wait_for(self, phase: ReplicaPhase, generation: int = 1, replicas: int = 1) -> tuple[Replica, ...]:
        def arrived(seen: Observation) -> bool:
            phases = [replica.phase for replica in seen.of(generation)]
            return phases == [phase] * replicas

        return self.wait(arrived).of(generation)
