from __future__ import annotations

from typing import Any

import pytest

from estiva import AksWebservice, KubernetesWebservice
from estiva.errors import WebserviceException
from estiva.messages import ScalingRequest
from estiva.records import Probe
from estiva.sdk.deploying import request

NAMESPACE_RULE = (
    "have 1 to 63 lower-case letters, digits and hyphens, and begin and end with a letter or digit."
)

configuration: Any = KubernetesWebservice.deploy_configuration


def problems(**parameters: Any) -> list[str]:
    with pytest.raises(WebserviceException) as caught:
        configuration(**parameters)
    return caught.value.message.splitlines()


def test_the_older_name_is_the_same_class() -> None:
    assert AksWebservice is KubernetesWebservice
    assert KubernetesWebservice.compute_type == "AKS"


def test_what_is_given_travels_and_the_rest_has_the_documented_defaults() -> None:
    asked = request(None, None, configuration())
    assert (asked.kind, asked.scaling) == ("kubernetes", None)
    assert asked.settings is not None
    assert asked.settings.scoring_timeout_ms == 60_000
    assert asked.settings.replica_max_concurrent_requests == 1
    assert asked.settings.max_request_wait_time == 500
    given = request(
        None,
        None,
        configuration(num_replicas=3, scoring_timeout_ms=100, replica_max_concurrent_requests=2),
    )
    assert given.scaling == ScalingRequest(replicas=3)
    assert given.settings is not None
    assert given.settings.probe == Probe()
    probed = configuration(period_seconds=10, timeout_seconds=2, success_threshold=2).settings().probe
    assert probed == Probe(period_seconds=10, timeout_seconds=2, success_threshold=2, failure_threshold=3)
    assert (given.settings.scoring_timeout_ms, given.settings.replica_max_concurrent_requests) == (100, 2)
    scaled = configuration(
        autoscale_enabled=True,
        autoscale_min_replicas=0,
        autoscale_refresh_seconds=2,
        autoscale_target_utilization=50,
    )
    assert request(None, None, scaled).scaling == ScalingRequest(
        autoscale=True, min_replicas=0, refresh_seconds=2, target_utilization=0.5
    )


def test_all_problems_are_in_one_error() -> None:
    assert problems(
        cpu_cores=0,
        memory_gb=2,
        memory_gb_limit=1,
        gpu_cores=-1,
        scoring_timeout_ms=-5,
        autoscale_enabled=True,
        num_replicas=2,
        autoscale_min_replicas=4,
        autoscale_max_replicas=3,
        auth_enabled=True,
        token_auth_enabled=True,
        namespace="No",
    ) == [
        "cpu_cores must be greater than 0, not 0.",
        "scoring_timeout_ms must be greater than 0, not -5.",
        "gpu_cores must be 0 or more, not -1.",
        "memory_gb_limit (1) must not be less than memory_gb (2).",
        "num_replicas cannot be set while autoscale_enabled is True.",
        "autoscale_min_replicas (4) must not exceed autoscale_max_replicas (3).",
        "auth_enabled and token_auth_enabled cannot both be True.",
        f"namespace 'No' must {NAMESPACE_RULE}",
    ]


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"autoscale_enabled": False}, "num_replicas must be set when autoscale_enabled is False."),
        (
            {"autoscale_max_replicas": 3},
            "autoscale_max_replicas can only be set with autoscale_enabled=True.",
        ),
        ({"period_seconds": 0}, "period_seconds must be greater than 0, not 0."),
    ],
)
def test_one_problem(parameters: dict[str, Any], problem: str) -> None:
    assert problems(**parameters) == [problem]


def test_callers_need_keys_tokens_or_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    for given in ({}, {"token_auth_enabled": True}, {"auth_enabled": False}):
        configured = configuration(**given)
        configured.print_deploy_configuration()
        assert configured.publication().model_dump(exclude_none=True) == given
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        f"Kubernetes service with{told}" for told in (" keys", " tokens", "out keys")
    ]


def test_what_has_no_effect_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    configuration(num_replicas=2, enable_app_insights=True, namespace="a").print_deploy_configuration()
    assert capsys.readouterr().out == (
        "Kubernetes service with keys, replicas: 2\n"
        "Of no effect on this machine: enable_app_insights, namespace\n"
    )
    configuration(autoscale_enabled=True, autoscale_max_replicas=4).print_deploy_configuration()
    assert capsys.readouterr().out == ("Kubernetes service with keys, replicas: 1 to 4, as the load needs\n")
