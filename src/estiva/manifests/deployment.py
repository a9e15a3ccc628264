"""The Deployment: replicas as pods, which Kubernetes places, restarts and rolls."""

from __future__ import annotations

import hashlib
import json
import math

from estiva.manifests.objects import Manifest, labels, manifest, selector
from estiva.records import ServiceSettings, Workload
from estiva.specification import serving
from estiva_server import contract

_USER_ID = 10001
"""The user of the images: planning.USER_ID."""
_RESERVED_CPU = 0.1
_RESERVED_MEMORY = 500_000_000
"""What SDK v1 documents for a service that does not say what its replicas need."""
_STARTUP_SECONDS = 2
_DRAIN_SECONDS = 5
"""How long a pod that is to end goes on serving, until all who send requests know that it is to end."""
_GRACE_SECONDS = 5
_CONFIGURATION = "estiva/configuration"


def deployment(workload: Workload) -> Manifest:
    spec: Manifest = {
        "selector": {"matchLabels": selector(workload)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "progressDeadlineSeconds": math.ceil(workload.settings.init_timeout_seconds) + 300,
        "revisionHistoryLimit": 10,
        "template": {
            "metadata": {"labels": labels(workload), "annotations": {_CONFIGURATION: _digest(workload)}},
            "spec": _pod(workload),
        },
    }
    if workload.autoscale is None:  # else the number is the autoscaler's, and applying must not reset it
        spec = {"replicas": workload.replicas, **spec}
    return manifest(workload, "apps/v1", "Deployment", spec)


def _digest(workload: Workload) -> str:
    """Another one when variables change: a pod reads them only once, so it must be replaced."""
    return hashlib.sha256(json.dumps(workload.variables, sort_keys=True).encode()).hexdigest()[:16]


def _pod(workload: Workload) -> Manifest:
    timeout = math.ceil(workload.settings.scoring_timeout_ms / 1000)
    spec: Manifest = {
        "serviceAccountName": workload.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _DRAIN_SECONDS + timeout + _GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER_ID,
            "runAsGroup": _USER_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(workload)],
    }
    if workload.pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in workload.pull_secrets]
    return spec


def _container(workload: Workload) -> Manifest:
    sources = [{"configMapRef": {"name": workload.name}}] if workload.variables else []
    sources += [{"secretRef": {"name": name}} for name in workload.secrets]
    settings = serving.variables(workload.name, workload.settings, workload.variables)
    container: Manifest = {
        "name": "scoring",
        "image": workload.image,
        "ports": [{"name": "http", "containerPort": contract.PORT}],
        "env": [{"name": name, "value": value} for name, value in settings.items()],
        "envFrom": sources,
        "resources": _resources(workload.settings),
        **_probes(workload.settings),
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(_DRAIN_SECONDS)]}}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {name: value for name, value in container.items() if value != []}


def _resources(settings: ServiceSettings) -> Manifest:
    """Requests for what a replica is to have, limits only where somebody set them."""
    requests = {
        "cpu": f"{settings.cpu_reserved or _RESERVED_CPU:g}",
        "memory": _bytes(settings.memory_reserved or _RESERVED_MEMORY),
    }
    limits: dict[str, str] = {}
    if settings.cpu_limit is not None:
        limits["cpu"] = f"{settings.cpu_limit:g}"
    if settings.memory_limit is not None:
        limits["memory"] = _bytes(settings.memory_limit)
    if settings.gpus:
        limits["nvidia.com/gpu"] = str(settings.gpus)
    return {"requests": requests, "limits": limits} if limits else {"requests": requests}


def _bytes(number: int) -> str:
    """As people write it, where that is exact: M is a million."""
    millions, rest = divmod(number, 10**6)
    return str(number) if rest else f"{millions}M"


def _probes(settings: ServiceSettings) -> Manifest:
    """A pod is not asked for its life until init() has returned, and never killed for a run() in its time."""
    probe = settings.probe
    period, timeout = max(1, round(probe.period_seconds)), max(1, round(probe.timeout_seconds))
    patience = math.ceil(settings.scoring_timeout_ms / 1000 / period) + 1
    starts = math.ceil(settings.init_timeout_seconds / _STARTUP_SECONDS)
    return {
        "startupProbe": _probe(_STARTUP_SECONDS, timeout, starts),
        "readinessProbe": {
            **_probe(period, timeout, probe.failure_threshold),
            "successThreshold": probe.success_threshold,
        },
        "livenessProbe": _probe(period, timeout, max(probe.failure_threshold, patience)),
    }


def _probe(period: int, timeout: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": contract.HEALTH_PATH, "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }
