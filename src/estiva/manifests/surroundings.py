"""What a Deployment's pods need around them: an account, variables, an address, and who may do what."""

from __future__ import annotations

from estiva.manifests.objects import Manifest, manifest, selector
from estiva.records import Workload
from estiva_server import contract

_PORT = 80


def service_account(workload: Workload) -> Manifest:
    """Of the service's own, without a token: a score script has nothing to ask the cluster for."""
    return manifest(workload, "v1", "ServiceAccount") | {"automountServiceAccountToken": False}


def configuration(workload: Workload) -> Manifest | None:
    if not workload.variables:
        return None
    return manifest(workload, "v1", "ConfigMap") | {"data": dict(workload.variables)}


def service(workload: Workload) -> Manifest:
    ports = [{"name": "http", "port": _PORT, "targetPort": "http"}]
    return manifest(workload, "v1", "Service", {"selector": selector(workload), "ports": ports})


def network_policy(workload: Workload) -> Manifest:
    """Nobody reaches anything of a pod but the scoring server."""
    spec = {
        "podSelector": {"matchLabels": selector(workload)},
        "policyTypes": ["Ingress"],
        "ingress": [{"ports": [{"port": contract.PORT, "protocol": "TCP"}]}],
    }
    return manifest(workload, "networking.k8s.io/v1", "NetworkPolicy", spec)


def disruption_budget(workload: Workload) -> Manifest:
    """A node that is emptied takes one replica at a time; a service with one does not hold it up."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": selector(workload)}}
    return manifest(workload, "policy/v1", "PodDisruptionBudget", spec)


def autoscaler(workload: Workload) -> Manifest | None:
    policy = workload.autoscale
    if policy is None:
        return None
    target = {"type": "Utilization", "averageUtilization": round(100 * policy.target_utilization)}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload.name},
        "minReplicas": policy.min_replicas,
        "maxReplicas": policy.max_replicas,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    return manifest(workload, "autoscaling/v2", "HorizontalPodAutoscaler", spec)
