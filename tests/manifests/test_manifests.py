from __future__ import annotations

from pathlib import Path

import pytest

from estiva.manifests import manifests, to_yaml
from estiva.records import AutoscalePolicy, Probe, ServiceSettings, Workload

EXPECTED = Path(__file__).parent / "expected"
PLAIN = Workload(name="diabetes", image="registry.example.org/diabetes:1")
FULL = Workload(
    name="diabetes",
    namespace="team",
    image="registry.example.org/diabetes@sha256:0f",
    autoscale=AutoscalePolicy(min_replicas=2, max_replicas=5, target_utilization=0.8),
    settings=ServiceSettings(
        scoring_timeout_ms=5_500,
        init_timeout_seconds=31,
        replica_max_concurrent_requests=4,
        cpu_reserved=0.5,
        cpu_limit=2,
        memory_reserved=1_000_000_000,
        memory_limit=1_073_741_825,
        gpus=1,
        probe=Probe(period_seconds=10, timeout_seconds=2, failure_threshold=4, success_threshold=2),
        debug=True,
    ),
    variables={"WORKER_COUNT": "2", "FLAG": "yes"},
    secrets=("passwords",),
    pull_secrets=("registry",),
    annotations={"estiva/area": "diabetes"},
)


@pytest.mark.parametrize(("name", "workload"), [("plain", PLAIN), ("full", FULL)])
def test_the_whole_text(name: str, workload: Workload) -> None:
    assert to_yaml(manifests(workload), "first line\nsecond line") == (EXPECTED / f"{name}.yaml").read_text()


def test_pods_are_replaced_when_variables_change_and_only_then() -> None:
    def template(workload: Workload) -> object:
        return next(made for made in manifests(workload) if made["kind"] == "Deployment")["spec"]["template"]

    before = template(FULL)
    assert template(FULL.model_copy(update={"annotations": {}})) == before
    assert template(FULL.model_copy(update={"variables": {"FLAG": "no", "WORKER_COUNT": "2"}})) != before


def test_a_number_that_an_autoscaler_changes_is_not_in_the_deployment() -> None:
    by_kind = {made["kind"]: made for made in manifests(FULL)}
    assert "replicas" not in by_kind["Deployment"]["spec"]
    assert by_kind["HorizontalPodAutoscaler"]["spec"]["minReplicas"] == 2


def test_a_run_in_its_time_never_has_its_pod_killed() -> None:
    slow = PLAIN.model_copy(update={"settings": ServiceSettings(scoring_timeout_ms=90_000)})
    (container,) = next(m for m in manifests(slow) if m["kind"] == "Deployment")["spec"]["template"]["spec"][
        "containers"
    ]
    probe = container["livenessProbe"]
    assert probe["periodSeconds"] * (probe["failureThreshold"] - 1) >= 90
