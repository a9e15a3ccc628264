"""What clients are shown of a service, of a version of an endpoint, and of an endpoint as a whole."""

from __future__ import annotations

from contextlib import suppress

from estiva.control import publications, traffic
from estiva.control.stages import Stages
from estiva.errors import WebserviceException
from estiva.messages import ServiceView, VersionView
from estiva.records import Endpoint, Publication, Service, ServiceKey, ServiceState


def view(stages: Stages, key: ServiceKey) -> ServiceView:
    """Raises WebserviceException with code "WebserviceNotFound" if there is nothing of that key."""
    if key.version is None:
        endpoint = stages.store.find_endpoint(key.workspace, key.service)
        if endpoint is not None:
            return endpoint_view(stages, endpoint)
    return _view(stages, stages.store.service(key))


def views(stages: Stages, workspace: str) -> list[ServiceView]:
    """Services and endpoints, by name."""
    keys = [service.key for service in stages.store.services(workspace) if service.key.version is None]
    keys += [ServiceKey(workspace=workspace, service=one.name) for one in stages.store.endpoints(workspace)]
    found = []
    for key in sorted(keys, key=lambda one: one.service):
        with suppress(WebserviceException):  # it went while others were looked at
            found.append(view(stages, key))
    return found


def endpoint_view(stages: Stages, endpoint: Endpoint) -> ServiceView:
    """Raises WebserviceException when the endpoint is gone, not already when one of its versions goes."""
    try:
        return _endpoint_view(stages, endpoint)
    except WebserviceException:
        newer = stages.store.endpoint(endpoint.workspace, endpoint.name)
        if newer == endpoint:
            raise
        return endpoint_view(stages, newer)


def _endpoint_view(stages: Stages, endpoint: Endpoint) -> ServiceView:
    """An endpoint as a service: what it has of its own, beside what its default version is and does."""
    keys = [
        ServiceKey(workspace=endpoint.workspace, service=endpoint.name, version=v.name)
        for v in endpoint.versions
    ]
    shown = {
        view.service.key.version: view for view in (_view(stages, stages.store.service(key)) for key in keys)
    }
    serving = [version for version in endpoint.versions if serves(shown[version.name].service)]
    names = [version.name for version in serving]
    chosen, shares = traffic.default(endpoint, names), traffic.shares(endpoint, names)
    versions = tuple(
        VersionView(
            name=version.name,
            traffic_percentile=shares[version.name],
            mirror_percentile=version.mirror_percentile,
            is_default=version.name == chosen,
            is_control=version.is_control,
            view=shown[version.name],
        )
        for version in endpoint.versions
    )
    whole = _whole(endpoint, shown[chosen].service, [one.view.service for one in versions])
    return shown[chosen].model_copy(
        update={"service": whole, "versions": versions, "sticky_header": endpoint.sticky_header}
    )


def serves(service: Service) -> bool:
    """Whether a version of an endpoint can have a share of its requests."""
    return service.serving is not None and service.state is not ServiceState.DELETING


def _whole(endpoint: Endpoint, default: Service, versions: list[Service]) -> Service:
    return default.model_copy(
        update={
            "key": ServiceKey(workspace=endpoint.workspace, service=endpoint.name),
            "kind": "endpoint",
            "state": _state(endpoint, default, versions),
            "publication": endpoint.publication,
            "description": endpoint.description,
            "tags": endpoint.tags,
            "properties": endpoint.properties,
            "created_time": endpoint.created_time,
            "updated_time": endpoint.updated_time,
        }
    )


def _state(endpoint: Endpoint, default: Service, versions: list[Service]) -> ServiceState:
    """In transition while any version is; else as the default one, which answers whom no other does."""
    if endpoint.deleting:
        return ServiceState.DELETING
    if any(version.state in (ServiceState.TRANSITIONING, ServiceState.DELETING) for version in versions):
        return ServiceState.TRANSITIONING
    return default.state


def _view(stages: Stages, service: Service) -> ServiceView:
    store, key = stages.store, service.key
    seen = stages.fleet.glimpse(key)
    published = service.publication or Publication(), store.workspace(key.workspace)
    return ServiceView(
        service=service,
        scoring_uri=publications.scoring_uri(key, *published),
        local_uri=publications.local_uri(key, *published),
        certificate=publications.certificate(*published),
        desired=store.generation(key, service.desired),
        serving=None if service.serving is None else store.generation(key, service.serving),
        replicas=seen.replicas,
        trouble=seen.trouble,
    )
