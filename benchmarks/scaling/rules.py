"""The autoscaling rules that are compared: Estiva's own, and two as their makers publish them.

- azureml-fe, "Azure Machine Learning inference router and connectivity requirements", section Autoscaling
  (learn.microsoft.com, how-to-kubernetes-inference-routing-azureml-fe).
- Knative 1.x, `pkg/autoscaler/scaling/autoscaler.go` and `config/core/configmaps/autoscaler.yaml` in
  knative/serving, and "Additional autoscaling configuration for Knative Pod Autoscaler" (knative.dev).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from benchmarks.scaling.gateway import Rule, Sample
from estiva.control.autoscale import History, decide
from estiva.records import AutoscalePolicy
from estiva.sizing import replicas_for


class Fixed:
    """As many replicas as there were at the beginning: what queueing theory knows the figures of."""

    refresh_seconds = 1.0

    def __init__(self, replicas: int) -> None:
        self.replicas = replicas

    def wanted(self, sample: Sample) -> int:  # noqa: ARG002  a rule that looks at nothing
        return self.replicas


class Estiva:
    """The very function that the control server calls."""

    def __init__(self, policy: AutoscalePolicy, replicas: int) -> None:
        self.policy = policy
        self.refresh_seconds = policy.refresh_seconds
        self.history = History(replicas=replicas)

    def wanted(self, sample: Sample) -> int:
        decision = decide(sample.load, self.policy, self.history)
        self.history = decision.history
        return decision.wanted


class AzuremlFe:
    """Utilization = (busy replicas + queued requests) / replicas, looked at each second.

    Published: above the target replicas are added within about 1 second, below it they are removed within
    about 1 minute. How many is not published. The reading here: as many as bring the utilization to the
    target, and on the way down the most that any figure of the last minute called for.
    """

    WINDOW_SECONDS = 60.0

    def __init__(self, policy: AutoscalePolicy, replicas: int) -> None:
        self.policy = policy
        self.refresh_seconds = policy.refresh_seconds
        self.needs = deque([(0.0, replicas)])

    def wanted(self, sample: Sample) -> int:
        load, policy = sample.load, self.policy
        need = replicas_for(load.busy + load.queued, policy.concurrency, policy.target_utilization)
        self.needs.append((load.time, need))
        while self.needs[0][0] <= load.time - self.WINDOW_SECONDS:
            self.needs.popleft()
        return _bounded(max(need for _, need in self.needs), policy)


class Knative:
    """The mean of 60 s, or in panic that of 6 s, over the target; no fewer while in panic.

    Panic begins when the short window calls for twice the ready replicas, and ends when it has not for 60 s.
    A new autoscaler that finds several replicas begins in panic. At most half of the replicas go at a time;
    the limit on how many come at a time (a factor of 1000) never binds here.
    """

    refresh_seconds = 2.0
    STABLE_SECONDS = 60.0
    PANIC_SECONDS = 6.0
    PANIC_THRESHOLD = 2.0
    MOST_SCALE_DOWN = 2

    def __init__(self, policy: AutoscalePolicy, replicas: int) -> None:
        self.policy = policy
        self.panicked: float | None = 0.0 if replicas > 1 else None
        self.most = replicas if replicas > 1 else 0
        self.seen: deque[tuple[float, float]] = deque()

    def wanted(self, sample: Sample) -> int:
        now = sample.load.time
        self.seen.append((now, sample.mean_requests))
        while self.seen[0][0] <= now - self.STABLE_SECONDS:
            self.seen.popleft()
        ready = max(1, sample.ready)
        stable, short = self._need(now, self.STABLE_SECONDS), self._need(now, self.PANIC_SECONDS)
        if short / ready >= self.PANIC_THRESHOLD:
            self.panicked = now
        elif self.panicked is not None and self.panicked + self.STABLE_SECONDS < now:
            self.panicked, self.most = None, 0
        least = ready // self.MOST_SCALE_DOWN
        wanted = max(stable, least)
        if self.panicked is not None:
            wanted = self.most = max(self.most, wanted, short)
        return _bounded(wanted, self.policy)

    def _need(self, now: float, seconds: float) -> int:
        values = [value for time, value in self.seen if time > now - seconds]
        mean = sum(values) / len(values)
        return replicas_for(mean, self.policy.concurrency, self.policy.target_utilization)


def _bounded(replicas: int, policy: AutoscalePolicy) -> int:
    return min(policy.max_replicas, max(policy.min_replicas, replicas))


def rule(name: str, policy: AutoscalePolicy, replicas: int) -> Rule:
    """A rule of that name, at the beginning of a run with so many replicas."""
    return RULES[name](policy, replicas)


RULES: dict[str, Callable[[AutoscalePolicy, int], Rule]] = {
    "Estiva": Estiva,
    "azureml-fe": AzuremlFe,
    "Knative": Knative,
}
NAMES = tuple(RULES)
