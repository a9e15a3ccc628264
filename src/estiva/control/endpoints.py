"""Accepts what clients ask of endpoints: versions, and how the requests are divided among them.

What a version runs goes the way of any service's generations; what is published changes before the answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from estiva.control import publications, traffic
from estiva.control.intake import Intake, new_service
from estiva.control.keys import changed_keys, new_credentials
from estiva.control.reconcile import Reconciler
from estiva.control.stages import Stages
from estiva.control.views import serves, view
from estiva.errors import WebserviceException
from estiva.messages import (
    EndpointChange,
    PublicationRequest,
    ServiceView,
    TrafficRequest,
    VersionRequest,
)
from estiva.records import (
    Endpoint,
    EndpointVersion,
    Generation,
    GenerationState,
    Service,
    ServiceKey,
    ServiceState,
)
from estiva.registry import names
from estiva.registry.services import exists_already


class EndpointIntake:
    def __init__(self, stages: Stages, intake: Intake, reconciler: Reconciler) -> None:
        self._stages = stages
        self._store = stages.store
        self._intake = intake
        self._reconciler = reconciler

    def create(self, key: ServiceKey, request: VersionRequest) -> ServiceView:
        """An endpoint with its first version, the default and the control.

        One that is there gets the version beside its others, or in the place of one of that name, if the
        request is to overwrite.
        """
        names.service_name(key.service)
        names.version_name(key.version or "")
        existing = self._store.find_endpoint(key.workspace, key.service)
        if existing is None:
            return self._create(key, request)
        if not request.deployment.overwrite:
            raise exists_already(key, "endpoint")
        if existing.version(key.version or "") is None:
            return self.add_version(key, request)
        return self.update_version(key, request)

    def add_version(self, key: ServiceKey, request: VersionRequest) -> ServiceView:
        """It takes requests as soon as it is healthy; until then nothing changes for callers."""
        name = key.version or ""
        names.version_name(name)
        self._store.endpoint(key.workspace, key.service)
        service, generation = self._version(key, request)

        def revise(before: Endpoint) -> Endpoint:
            if before.version(name) is not None:
                raise WebserviceException(
                    f"The endpoint {key.service!r} has a version {name!r} already. Update that one, or "
                    "choose another name.",
                    code="VersionExists",
                )
            added = (*before.versions, EndpointVersion(name=name))
            return self._revised(before.model_copy(update={"versions": added}), name, request)

        self._store.add_version(service, generation, revise)
        return self._announce(key)

    def update_version(self, key: ServiceKey, request: VersionRequest) -> ServiceView:
        """What is None stays. The version's present generation serves until the new one is healthy."""
        name = key.version or ""
        endpoint = self._store.endpoint(key.workspace, key.service)
        service = self._store.service(key)
        self._revised(endpoint, name, request)  # refused before anything is changed
        if request.changes_what_runs:
            self._intake.update(key, request.deployment)
        elif request.traffic_percentile:
            self._check_healthy(service)
        self._store.revise_endpoint(
            key.workspace, key.service, lambda before: self._revised(before, name, request)
        )
        self._stages.publisher.publish(key.workspace)
        return self._announce(key)

    def direct(self, key: ServiceKey, request: TrafficRequest) -> ServiceView:
        """Divides the requests anew, in one step: all that is asked for, or nothing."""
        endpoint = self._store.endpoint(key.workspace, key.service)
        for name, share in request.shares.items():
            traffic.require(endpoint, name)
            if share:
                self._check_healthy(self._store.service(key.model_copy(update={"version": name})))

        def revise(before: Endpoint) -> Endpoint:
            serving = self._serving(before)
            if request.default is not None:
                traffic.require(before, request.default)
                before = traffic.promoted(before, request.default)
            return traffic.divided(before, request.shares, serving)

        self._store.revise_endpoint(key.workspace, key.service, revise)
        self._stages.publisher.publish(key.workspace)
        return self._announce(key)

    def delete_version(self, key: ServiceKey) -> None:
        """It gets no request from now on, and ends when it has answered those that it has."""
        name = key.version or ""

        def revise(before: Endpoint) -> Endpoint:
            serving = self._serving(before)
            traffic.check_removal(before, name, serving)
            return traffic.divided(before, {name: 0}, serving)

        self._store.revise_endpoint(key.workspace, key.service, revise)
        self._end(key)

    def update(self, key: ServiceKey, request: EndpointChange) -> ServiceView:
        """What of an endpoint is no part of a version."""
        wanted = request.publication or PublicationRequest()

        def revise(before: Endpoint) -> Endpoint:
            publication = publications.changed(key, before.publication, wanted)
            given = request.model_dump(exclude={"publication"}, exclude_none=True)
            if given.get("sticky_header") == "":
                given["sticky_header"] = None
            return before.model_copy(update={**given, "publication": publication})

        self._store.revise_endpoint(key.workspace, key.service, revise)
        self._store.update_credentials(key.workspace, key.service, **changed_keys(wanted))
        self._stages.publisher.publish(key.workspace)
        return self._announce(key)

    def delete(self, key: ServiceKey) -> None:
        """Takes all versions along. Idempotent while it goes."""
        endpoint = self._store.endpoint(key.workspace, key.service)
        if not endpoint.deleting:
            endpoint = self._store.revise_endpoint(
                key.workspace, key.service, lambda before: before.model_copy(update={"deleting": True})
            )
        for version in self._keys(endpoint):
            self._end(version)

    # --- how -----------------------------------------------------------------------------------------

    def _create(self, key: ServiceKey, request: VersionRequest) -> ServiceView:
        wanted = request.deployment.publication or PublicationRequest()
        publication = publications.published("kubernetes", wanted, ())
        publications.check_gateway(publication, self._stages.publisher.available)
        credentials = new_credentials(wanted.primary_key, wanted.secondary_key)
        service, generation = self._version(key, request)
        self._intake.share_port(key.workspace)
        first = EndpointVersion(name=key.version or "", is_control=request.is_control is not False)
        endpoint = Endpoint(
            workspace=key.workspace,
            name=key.service,
            publication=publication,
            versions=(first,),
            defaults=(first.name,),
            description=request.deployment.description,
            tags=request.deployment.tags or {},
            properties=request.deployment.properties or {},
        )
        shares = {first.name: request.traffic_percentile or 0}
        self._store.create_endpoint(traffic.divided(endpoint, shares, ()), service, generation, credentials)
        return self._announce(key)

    def _version(self, key: ServiceKey, request: VersionRequest) -> tuple[Service, Generation]:
        spec = self._intake.specification(key.workspace, request.deployment)
        service = new_service(key, "kubernetes", spec, request.deployment, publication=None)
        return service, Generation(number=1, state=GenerationState.PENDING, spec=spec)

    def _revised(self, endpoint: Endpoint, name: str, request: VersionRequest) -> Endpoint:
        serving = self._serving(endpoint)
        if request.traffic_percentile is not None:
            endpoint = traffic.divided(endpoint, {name: request.traffic_percentile}, serving)
        if request.mirror_percentile is not None:
            publications.check_mirror(request.mirror_percentile)
            endpoint = traffic.mirrored(endpoint, name, request.mirror_percentile)
        if request.is_default is not None:
            endpoint = _with_default(endpoint, name, request.is_default)
        if request.is_control is not None:
            endpoint = traffic.controlled(endpoint, name, request.is_control)
        return endpoint

    def _check_healthy(self, service: Service) -> None:
        if serves(service):
            return
        pending = service.state is ServiceState.TRANSITIONING
        raise WebserviceException(
            f"The version {service.key.version!r} of {service.key.service!r} cannot take requests: it has "
            f"not become healthy{' yet. Wait for its deployment' if pending else '. Update it'}, then give "
            "it traffic.",
            code="VersionNotHealthy",
        )

    def _serving(self, endpoint: Endpoint) -> list[str]:
        return [
            service.key.version
            for service in self._store.services(endpoint.workspace)
            if service.key.service == endpoint.name and service.key.version and serves(service)
        ]

    def _end(self, key: ServiceKey) -> None:
        self._store.update_service(key, state=ServiceState.DELETING)
        self._reconciler.abandon(key)

    def _keys(self, endpoint: Endpoint) -> Iterator[ServiceKey]:
        for version in endpoint.versions:
            yield ServiceKey(workspace=endpoint.workspace, service=endpoint.name, version=version.name)

    def _announce(self, key: ServiceKey) -> ServiceView:
        self._reconciler.wake()
        self._stages.changes.announce()
        return view(self._stages, ServiceKey(workspace=key.workspace, service=key.service))


def _with_default(endpoint: Endpoint, name: str, wanted: bool) -> Endpoint:
    if wanted:
        return traffic.promoted(endpoint, name)
    if endpoint.defaults[0] == name:
        raise WebserviceException(
            f"{name!r} is the default version of the endpoint {endpoint.name!r}, which needs one. Make "
            "another one the default instead.",
            code="VersionDefault",
        )
    return endpoint
