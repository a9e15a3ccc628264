"""How an endpoint's requests are divided among its versions. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from estiva.errors import WebserviceException
from estiva.records import Endpoint, EndpointVersion

_ALL = 100


def default(endpoint: Endpoint, serving: Collection[str]) -> str:
    """The version that takes what no other claims: of those made the default, the newest that serves.

    Where none of them does, any that serves is better than none.
    """
    candidates = (*endpoint.defaults, *(version.name for version in endpoint.versions))
    return next((name for name in candidates if name in serving), endpoint.defaults[0])


def shares(endpoint: Endpoint, serving: Collection[str]) -> dict[str, int]:
    """Percent of the requests that each version gets now; nothing for those that do not serve."""
    chosen = default(endpoint, serving)
    found = {
        version.name: version.traffic_percentile if version.name in serving else 0
        for version in endpoint.versions
    }
    return {**found, chosen: _ALL - sum(share for name, share in found.items() if name != chosen)}


def divided(endpoint: Endpoint, wanted: Mapping[str, int], serving: Collection[str]) -> Endpoint:
    """With those percentages. The default version, unless it is among them, makes room for the others.

    Raises WebserviceException, code "VersionNotFound", "TrafficInvalid" or "TrafficOver100".
    """
    for name, share in wanted.items():
        require(endpoint, name)
        if not 0 <= share <= _ALL:
            raise WebserviceException(
                f"The percentage of {name!r} must be from 0 to 100, not {share}.", code="TrafficInvalid"
            )
    claimed = {version.name: version.traffic_percentile for version in endpoint.versions} | dict(wanted)
    yielding = default(endpoint, serving)
    if yielding not in wanted:
        others = sum(share for name, share in claimed.items() if name != yielding)
        claimed[yielding] = max(0, min(claimed[yielding], _ALL - others))
    _check_sum(endpoint.name, claimed)
    versions = (v.model_copy(update={"traffic_percentile": claimed[v.name]}) for v in endpoint.versions)
    return endpoint.model_copy(update={"versions": tuple(versions)})


def mirrored(endpoint: Endpoint, name: str, share: int) -> Endpoint:
    """With copies of that percentage of the others' requests for the version."""
    if not 0 <= share <= _ALL:
        raise WebserviceException(
            f"The percentage of copies for {name!r} must be from 0 to 100, not {share}.",
            code="TrafficInvalid",
        )
    versions = (
        v.model_copy(update={"mirror_percentile": share}) if v.name == name else v for v in endpoint.versions
    )
    return endpoint.model_copy(update={"versions": tuple(versions)})


def promoted(endpoint: Endpoint, name: str) -> Endpoint:
    """With that version as the default one, as soon as it serves."""
    others = (other for other in endpoint.defaults if other != name)
    return endpoint.model_copy(update={"defaults": (name, *others)})


def controlled(endpoint: Endpoint, name: str, wanted: bool) -> Endpoint:
    """With that version as the control, and every other as a treatment; or as a treatment itself."""
    versions = (
        v.model_copy(update={"is_control": wanted if v.name == name else v.is_control and not wanted})
        for v in endpoint.versions
    )
    return endpoint.model_copy(update={"versions": tuple(versions)})


def check_removal(endpoint: Endpoint, name: str, serving: Collection[str]) -> None:
    """Raises WebserviceException for a version that the endpoint cannot be without."""
    require(endpoint, name)
    others = [version.name for version in endpoint.versions if version.name != name]
    if not others:
        raise WebserviceException(
            f"{name!r} is the only version of the endpoint {endpoint.name!r}. Delete the endpoint, or create "
            "another version first.",
            code="VersionLast",
        )
    if name == default(endpoint, serving):
        raise WebserviceException(
            f"{name!r} is the default version of the endpoint {endpoint.name!r}: it takes what no other one "
            f"claims. Make another one the default first ({', '.join(others)}).",
            code="VersionDefault",
        )


def require(endpoint: Endpoint, name: str) -> EndpointVersion:
    """The version; raises WebserviceException, code "VersionNotFound", with those that there are."""
    version = endpoint.version(name)
    if version is None:
        known = ", ".join(version.name for version in endpoint.versions)
        raise WebserviceException(
            f"The endpoint {endpoint.name!r} has no version {name!r}. It has: {known}.",
            code="VersionNotFound",
        )
    return version


def _check_sum(endpoint: str, claimed: Mapping[str, int]) -> None:
    total = sum(claimed.values())
    if total > _ALL:
        listed = ", ".join(f"{name} {share}" for name, share in claimed.items() if share)
        raise WebserviceException(
            f"The percentages of the endpoint {endpoint!r} would be {total} in sum ({listed}), more "
            "than 100. Give another version less in the same change.",
            code="TrafficOver100",
        )
