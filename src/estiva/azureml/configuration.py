"""The configurations of services, under the names of SDK v1."""

from __future__ import annotations

from estiva.sdk.configuration import WebserviceDeploymentConfiguration

__all__ = ["WebserviceDeploymentConfiguration"]
