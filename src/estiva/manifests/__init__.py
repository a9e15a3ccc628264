"""Kubernetes manifests of a service: plain objects that `kubectl apply` accepts. Pure.

They ask for nothing that belongs to the whole cluster, and fit a namespace that enforces the "restricted" Pod
Security Standard.
"""

from __future__ import annotations

import io

from ruamel.yaml import YAML

from estiva.manifests.deployment import deployment
from estiva.manifests.objects import Manifest, labels
from estiva.manifests.surroundings import (
    autoscaler,
    configuration,
    disruption_budget,
    network_policy,
    service,
    service_account,
)
from estiva.records import Workload

__all__ = ["labels", "manifests", "to_yaml"]

_WIDTH = 110


def manifests(workload: Workload) -> list[Manifest]:
    """In the order in which they are applied: what pods need comes before the pods."""
    made = [
        service_account(workload),
        configuration(workload),
        service(workload),
        network_policy(workload),
        disruption_budget(workload),
        deployment(workload),
        autoscaler(workload),
    ]
    return [manifest for manifest in made if manifest is not None]


def to_yaml(made: list[Manifest], comment: str = "") -> str:
    """One document each; `comment` stands above them."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = _WIDTH
    text = io.StringIO()
    text.writelines(f"# {line}\n" for line in comment.splitlines())
    for manifest in made:
        text.write("---\n")
        yaml.dump(manifest, text)
    return text.getvalue()
