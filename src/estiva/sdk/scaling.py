"""How many replicas a service has, what each of them gets, and how their number follows the load."""

from __future__ import annotations

import time
from typing import Any

from pydantic import ValidationError

from estiva.errors import WebserviceException
from estiva.messages import ScalingRequest, ServiceView
from estiva.records import AutoscalePolicy, ReplicaPhase, Scaling
from estiva.sdk.connection import connect
from estiva.sdk.resources import AutoScaler

_POLL_SECONDS = 0.05


class Scaled:
    """The part of a service that is about its replicas."""

    name: str
    _view: ServiceView

    @property
    def wanted_replicas(self) -> int:
        return self._scaling.replicas

    @property
    def scaling(self) -> str:
        """In words: a fixed number, or what it follows and why it is what it is."""
        scaling = self._scaling
        parts = [_bounds(scaling.autoscale) if scaling.autoscale else "fixed", scaling.reason, scaling.limit]
        return "; ".join(filter(None, parts))

    @property
    def autoscaler(self) -> AutoScaler:
        """How the number follows the load, or would; utilization is a percentage."""
        policy = self._scaling.autoscale or AutoscalePolicy()
        return AutoScaler(
            autoscale_enabled=self._scaling.autoscale is not None,
            max_replicas=policy.max_replicas,
            min_replicas=policy.min_replicas,
            refresh_period_seconds=round(policy.refresh_seconds),
            target_utilization=round(100 * policy.target_utilization),
        )

    def scale(
        self,
        replicas: int | None = None,
        wait: bool = False,
        *,
        autoscale: bool | None = None,
        min_replicas: int | None = None,
        max_replicas: int | None = None,
        target_utilization: float | None = None,
        refresh_seconds: float | None = None,
        idle_seconds: float | None = None,
    ) -> None:
        """Changes how many replicas serve, without a new generation and without losing a request.

        `replicas` is a number that stays. Anything else makes the number follow the load: between
        `min_replicas` and `max_replicas`, at a `target_utilization` in percent; with `min_replicas` 0 there
        is none when no request has come for `idle_seconds`. What is None stays as it was; `autoscale=False`
        ends it. With `wait`, returns when as many as wanted are ready; raises WebserviceException if that
        takes too long.
        """
        wanted = request(
            replicas=replicas,
            autoscale=autoscale,
            min_replicas=min_replicas,
            max_replicas=max_replicas,
            target_utilization=target_utilization,
            refresh_seconds=refresh_seconds,
            idle_seconds=idle_seconds,
        )
        answer = connect().request("POST", f"{self._path}/scale", body=wanted.model_dump(mode="json"))
        self._view = ServiceView.model_validate(answer)
        if wait:
            self._wait_until_scaled()

    @property
    def _scaling(self) -> Scaling:
        return self._view.service.scaling

    @property
    def _path(self) -> str:
        """At the control server."""
        raise NotImplementedError

    def update_deployment_state(self) -> None:
        """Refreshes this object."""
        raise NotImplementedError

    def _wait_until_scaled(self) -> None:
        deadline = time.monotonic() + self._view.desired.spec.settings.init_timeout_seconds
        while self._phases() != [ReplicaPhase.READY] * self.wanted_replicas:
            if time.monotonic() > deadline:
                raise WebserviceException(
                    f"The service {self.name!r} has not {self.wanted_replicas} ready replicas yet; the "
                    "change goes on. Look at service.get_logs().",
                    code="ScaleTimeout",
                )
            time.sleep(_POLL_SECONDS)
            self.update_deployment_state()

    def _phases(self) -> list[ReplicaPhase]:
        serving = self._view.service.serving
        return [replica.phase for replica in self._view.replicas if replica.generation == serving]


def request(target_utilization: float | None = None, **given: Any) -> ScalingRequest:
    """What travels: SDK v1's percentage is a fraction there. Raises WebserviceException for a wrong value."""
    try:
        share = None if target_utilization is None else target_utilization / 100
        return ScalingRequest(target_utilization=share, **given)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise WebserviceException("\n".join(problems), code="ScalingInvalid") from error


def _bounds(policy: AutoscalePolicy) -> str:
    return f"{policy.min_replicas} to {policy.max_replicas}, at {policy.target_utilization:.0%}"
