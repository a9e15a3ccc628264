"""Who may send requests to a route, as rules of its pools; and the entries of the file of keys. Pure.

Hashes of keys and grants of tokens are no part of the configuration's text: they change in the running
process, so that what was withdrawn stops at once, on connections that are open too.
"""

from __future__ import annotations

from collections.abc import Iterable

from estiva.gateway.answers import name, refuse
from estiva.records import Access, Route

KEYS_FILE = "keys.acl"
"""In the gateway's folder, which is HAProxy's working directory."""

_CHALLENGE = "WWW-Authenticate 'Bearer realm=\"estiva\"'"
_ALGORITHM = "RS256"


def entries(routes: Iterable[Route]) -> set[str]:
    """What the file of keys has: a route's id and the hash of a key, or the grant of its tokens."""
    return {f"{route.id}:{known}" for route in routes if route.access for known in _known(route.access)}


def rules(route: Route) -> str:
    """Lines of a backend; none if anybody may send."""
    access = route.access
    if access is None:
        return ""
    text = f"A key or token of {name(route)} is needed, as header Authorization: Bearer KEY."
    return (
        f"""\
    http-request set-var(txn.caller) http_auth_bearer,sha2(256),hex
    http-request set-var(txn.key) str({route.id}:),concat(,txn.caller)
    http-request set-var(txn.allowed) bool(true) if {{ var(txn.key) -m str -f {KEYS_FILE} }}
"""
        + (_token(route, access.token_key) if access.token_key else "")
        + refuse(401, text, "!{ var(txn.allowed) -m bool }", _CHALLENGE)
        + "    http-request del-header Authorization\n"
        + (_rate(route, access.requests_per_second) if access.requests_per_second else "")
    )


def _known(access: Access) -> tuple[str, ...]:
    return (*access.key_hashes, *filter(None, (access.token_grant,)))


def _token(route: Route, key: str) -> str:
    """The algorithm is ours to say, never the token's; that the token says the same is checked besides."""
    return f"""\
    http-request set-var(txn.token) http_auth_bearer
    http-request set-var(txn.algorithm) var(txn.token),jwt_header_query('$.alg')
    http-request set-var(txn.signed) var(txn.token),jwt_verify({_ALGORITHM},"{key}")
    http-request set-var(txn.service) var(txn.token),jwt_payload_query('$.service')
    http-request set-var(txn.claimed) var(txn.token),jwt_payload_query('$.grant')
    http-request set-var(txn.grant) str({route.id}:),concat(,txn.claimed)
    http-request set-var(txn.now) date
    http-request set-var(txn.left) var(txn.token),jwt_payload_query('$.exp','int'),sub(txn.now)
    http-request set-var(txn.allowed) bool(true) if {{ var(txn.algorithm) -m str {_ALGORITHM} }} \
{{ var(txn.signed) -m int 1 }} {{ var(txn.service) -m str {route.id} }} \
{{ var(txn.grant) -m str -f {KEYS_FILE} }} {{ var(txn.left) -m int gt 0 }}
"""


def _rate(route: Route, limit: int) -> str:
    text = f"One key may send {limit} requests a second to {name(route)}. Try again in a second."
    return (
        "    stick-table type string len 64 size 100k expire 10s store http_req_rate(1s)\n"
        "    http-request track-sc1 var(txn.caller)\n"
        + refuse(429, text, f"{{ sc_http_req_rate(1) gt {limit} }}", "Retry-After 1")
    )
