"""What a route must be so that no value of it leaves its place in the configuration. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from estiva.errors import GatewayException
from estiva.records import Access, Listener, Member, Route, Version

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_HOST = re.compile(r"[A-Za-z0-9.:-]+")
_PATH = re.compile(r"/[\w./@+=:~ -]*")
_HASH = re.compile(r"[0-9A-F]{64}")
_GRANT = re.compile(r"[0-9a-f]{32}")


def check(routes: Sequence[Route], shared: Listener | None) -> None:
    """Raises GatewayException, code "InvalidRoute", naming what cannot be used."""
    for route in routes:
        _check_route(route)
    if shared:
        _check_listener(shared)
    _check_unique(routes, shared)


def _check_route(route: Route) -> None:
    _require(_NAME.fullmatch(route.name), f"{route.kind} name", route.name)
    if route.sticky_header is not None:
        _require(_NAME.fullmatch(route.sticky_header), "header", route.sticky_header)
    if route.listener:
        _check_listener(route.listener)
    if route.access:
        _check_access(route.access)
    for version in route.versions:
        _check_version(version)
    weights = sum(version.weight for version in route.versions if version is not route.default)
    _require(weights <= 100, "sum of percentages", str(weights))


def _check_listener(listener: Listener) -> None:
    _require(_HOST.fullmatch(listener.host), "host", listener.host)
    _require(0 < listener.port < 65_536, "port", str(listener.port))
    if listener.certificate is not None:
        _require(_PATH.fullmatch(listener.certificate), "certificate's path", listener.certificate)


def _check_access(access: Access) -> None:
    for digest in access.key_hashes:
        _require(_HASH.fullmatch(digest), "hash of a key", digest)
    if access.token_key is not None:
        _require(_PATH.fullmatch(access.token_key), "path of the tokens' key", access.token_key)
    if access.token_grant is not None:
        _require(_GRANT.fullmatch(access.token_grant), "grant of tokens", access.token_grant)
    if access.requests_per_second is not None:
        _require(access.requests_per_second > 0, "rate limit", str(access.requests_per_second))


def _check_version(version: Version) -> None:
    _require(_NAME.fullmatch(version.name), "version name", version.name)
    _require(version.concurrency > 0, "number of concurrent requests", str(version.concurrency))
    _require(version.timeout_ms > 0, "timeout", str(version.timeout_ms))
    _require(version.hold_ms >= 0, "time to hold requests", str(version.hold_ms))
    _require(0 <= version.weight <= 100, "percentage", str(version.weight))
    _require(0 <= version.mirror <= 100, "percentage of copies", str(version.mirror))
    for member in version.members:
        _check_member(member)


def _check_member(member: Member) -> None:
    _require(_NAME.fullmatch(member.name), "server name", member.name)
    kind, _, rest = member.address.partition(":")
    valid = _PATH.fullmatch(rest) if kind == "unix" else _is_host_and_port(member.address)
    _require(valid, "server address", member.address)


def _is_host_and_port(address: str) -> bool:
    host, _, port = address.rpartition(":")
    return bool(_HOST.fullmatch(host.strip("[]"))) and port.isdecimal() and 0 < int(port) < 65_536


def _check_unique(routes: Sequence[Route], shared: Listener | None) -> None:
    listeners = [route.listener for route in routes] + [shared]
    versions = [(route, version) for route in routes for version in route.versions]
    for what, values in (
        ("name", [route.id for route in routes]),
        ("address", [f"{one.host}:{one.port}" for one in listeners if one]),
        ("version", [route.pool(version.name) for route, version in versions]),
        ("server", [f"{r.pool(v.name)}/{m.name}" for r, v in versions for m in v.members]),
        ("default version", [route.id for route, version in versions if version.is_default]),
    ):
        twice = {value for value in values if values.count(value) > 1}
        _require(not twice, f"{what}, given twice", ", ".join(sorted(twice)))


def _require(valid: object, what: str, value: str) -> None:
    if not valid:
        raise GatewayException(f"The gateway cannot use this {what}: {value!r}.", code="InvalidRoute")
