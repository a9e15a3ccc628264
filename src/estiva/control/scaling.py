"""From what was asked for to how many replicas a service has, and how that follows the load. Pure."""

from __future__ import annotations

from typing import Any

from estiva.errors import GatewayException, WebserviceException
from estiva.messages import ScalingRequest
from estiva.records import AutoscalePolicy, Scaling, ServiceKind


def initial(kind: ServiceKind, wanted: ScalingRequest) -> Scaling:
    """Of a new service. Those of a cluster's kinds scale automatically unless they are told not to."""
    by_default = kind in ("kubernetes", "endpoint") and wanted.replicas is None and wanted.autoscale is None
    return changed(Scaling(), wanted.model_copy(update={"autoscale": True}) if by_default else wanted)


def changed(before: Scaling, wanted: ScalingRequest) -> Scaling:
    """A given number ends autoscaling; bounds begin it. Raises WebserviceException for a contradiction."""
    if wanted.replicas is not None and (wanted.autoscale or wanted.bounds):
        raise _invalid("Give a number of replicas, or what autoscaling goes by, not both.")
    if wanted.autoscale is False and wanted.bounds:
        raise _invalid(f"{', '.join(wanted.bounds)} can only be set while the service scales automatically.")
    if wanted.replicas is not None:
        return Scaling(replicas=wanted.replicas)
    if wanted.autoscale is False:
        return Scaling(replicas=max(1, before.replicas))
    if wanted.autoscale or wanted.bounds:
        return _automatic(before, wanted.bounds)
    return before


def check_gateway(scaling: Scaling, available: bool) -> None:
    """Raises GatewayException if the load is to decide, and there is no gateway that sees it."""
    if scaling.autoscale is not None and not available:
        raise GatewayException(
            "A service scales automatically by what HAProxy sees of its load, and none was found. Install "
            "haproxy 2.6 or newer, or give a number of replicas.",
            code="HAProxyMissing",
        )


def _automatic(before: Scaling, bounds: dict[str, Any]) -> Scaling:
    policy = AutoscalePolicy.model_validate({**dict(before.autoscale or AutoscalePolicy()), **bounds})
    if policy.min_replicas > policy.max_replicas:
        raise _invalid(
            f"min_replicas ({policy.min_replicas}) must not exceed max_replicas ({policy.max_replicas})."
        )
    replicas = min(max(before.replicas, policy.min_replicas), policy.max_replicas)
    return before.model_copy(update={"autoscale": policy, "replicas": replicas, "limit": ""})


def _invalid(message: str) -> WebserviceException:
    return WebserviceException(message, code="ScalingInvalid")
