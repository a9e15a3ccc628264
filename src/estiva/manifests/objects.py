"""What every object of a service has: its kind, its name, and the labels by which it is found."""

from __future__ import annotations

from typing import Any

from estiva.records import Workload

Manifest = dict[str, Any]


def manifest(workload: Workload, api: str, kind: str, spec: Manifest | None = None) -> Manifest:
    """An object with the service's own name."""
    made = {"apiVersion": api, "kind": kind, "metadata": metadata(workload)}
    return made if spec is None else made | {"spec": spec}


def metadata(workload: Workload) -> Manifest:
    made: Manifest = {"name": workload.name}
    if workload.namespace:
        made["namespace"] = workload.namespace
    made["labels"] = labels(workload)
    if workload.annotations:
        made["annotations"] = dict(workload.annotations)
    return made


def labels(workload: Workload) -> dict[str, str]:
    """The recommended ones of Kubernetes."""
    return {
        **selector(workload),
        "app.kubernetes.io/component": "scoring",
        "app.kubernetes.io/managed-by": "estiva",
    }


def selector(workload: Workload) -> dict[str, str]:
    """Which pods are the service's; a Deployment's cannot change once it is there."""
    return {"app.kubernetes.io/name": "estiva-service", "app.kubernetes.io/instance": workload.name}
