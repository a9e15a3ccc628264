from __future__ import annotations

import pytest

from estiva.errors import WebserviceException
from estiva.sdk.kubernetes import KubernetesWebserviceDeploymentConfiguration as Configuration
from estiva.sdk.manifests import service_manifests

IMAGE = "registry.example.org/diabetes:1"


def test_a_deployment_configuration_becomes_manifests() -> None:
    config = Configuration(
        num_replicas=3,
        namespace="test",
        cpu_cores=0.5,
        memory_gb=1,
        memory_gb_limit=2,
        gpu_cores=1,
        scoring_timeout_ms=5000,
        tags={"area": "diabetes", "not a name": "x"},
        description="Ridge",
    )
    text = service_manifests("diabetes", IMAGE, config, secrets=["passwords"], pull_secrets=["registry"])
    for line in (
        "# Within the cluster the service is http://diabetes.test/score.",
        "  namespace: test\n",
        "  replicas: 3\n",
        f"          image: {IMAGE}\n",
        "              memory: 1000M\n            limits:\n              memory: 2000M\n",
        "              nvidia.com/gpu: '1'\n",
        "            - secretRef:\n                name: passwords\n",
        "        - name: registry\n",
        "    estiva/description: Ridge\n    estiva/area: diabetes\n",
    ):
        assert line in text
    assert "not a name" not in text


def test_autoscaling_becomes_the_clusters_own() -> None:
    config = Configuration(autoscale_enabled=True, autoscale_max_replicas=4)
    text = service_manifests("diabetes", IMAGE, config)
    assert "kind: HorizontalPodAutoscaler" in text
    assert "  minReplicas: 1\n  maxReplicas: 4\n" in text
    assert "averageUtilization: 70\n" in text


def test_what_cannot_be_in_manifests_is_refused() -> None:
    secret = Configuration(secrets={"TOKEN": "hunter22"})
    with pytest.raises(WebserviceException, match="kubectl create secret generic") as caught:
        service_manifests("diabetes", IMAGE, secret)
    assert "hunter22" not in caught.value.message
    to_zero = Configuration(autoscale_enabled=True, autoscale_min_replicas=0)
    with pytest.raises(WebserviceException, match="at least one replica"):
        service_manifests("diabetes", IMAGE, to_zero)
    with pytest.raises(WebserviceException, match="lower-case"):
        service_manifests("Diabetes", IMAGE)
