"""Estiva: from a trained model file to a running, scalable, explainable web service."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from estiva.sdk.container import AciWebservice, ContainerWebservice
    from estiva.sdk.endpoint import AksEndpoint, Endpoint
    from estiva.sdk.environment import CondaDependencies, Environment
    from estiva.sdk.inference import InferenceConfig
    from estiva.sdk.kubernetes import AksWebservice, KubernetesWebservice
    from estiva.sdk.local import LocalWebservice
    from estiva.sdk.model import Model
    from estiva.sdk.webservice import Webservice
    from estiva.sdk.workspace import Workspace

__version__ = "0.1.0"

__all__ = [
    "AciWebservice",
    "AksEndpoint",
    "AksWebservice",
    "CondaDependencies",
    "ContainerWebservice",
    "Endpoint",
    "Environment",
    "InferenceConfig",
    "KubernetesWebservice",
    "LocalWebservice",
    "Model",
    "Webservice",
    "Workspace",
    "__version__",
]

_HOMES = {
    "AciWebservice": "estiva.sdk.container",
    "AksEndpoint": "estiva.sdk.endpoint",
    "AksWebservice": "estiva.sdk.kubernetes",
    "CondaDependencies": "estiva.sdk.environment",
    "ContainerWebservice": "estiva.sdk.container",
    "Endpoint": "estiva.sdk.endpoint",
    "Environment": "estiva.sdk.environment",
    "InferenceConfig": "estiva.sdk.inference",
    "KubernetesWebservice": "estiva.sdk.kubernetes",
    "LocalWebservice": "estiva.sdk.local",
    "Model": "estiva.sdk.model",
    "Webservice": "estiva.sdk.webservice",
    "Workspace": "estiva.sdk.workspace",
}


def __getattr__(name: str) -> object:
    """Imports a public name when it is first used: the control server imports `estiva`, not the SDK."""
    if name not in _HOMES:
        raise AttributeError(f"module 'estiva' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
