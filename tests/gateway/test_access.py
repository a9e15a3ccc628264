"""Who gets through a real HAProxy, and what the others are told."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from estiva.gateway import Gateway
from estiva.gateway.keys import parse
from estiva.records import Access, Listener, Route
from tests.gateway.conftest import LOOPBACK, PATIENCE, Backend, MakeBackend, MakeRoute, listener, post, url

pytestmark = pytest.mark.haproxy


GRANT = "0123456789abcdef" * 2


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest().upper()


def keys(*keys: str) -> Access:
    return Access(key_hashes=tuple(digest(key) for key in keys))


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


class Signer:
    """An RSA key pair, and tokens signed with it."""

    def __init__(self, folder: Path) -> None:
        self._private = folder / "private.pem"
        self.public = folder / "public.pem"
        generate = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out"]
        _openssl(*generate, str(self._private))
        _openssl("pkey", "-in", str(self._private), "-pubout", "-out", str(self.public))

    def token(self, claims: Mapping[str, object], algorithm: str = "RS256") -> str:
        parts = [{"alg": algorithm, "typ": "JWT"}, claims]
        signed = ".".join(_encode(json.dumps(part).encode()) for part in parts)
        if algorithm == "none":
            return f"{signed}."
        return f"{signed}.{_encode(_openssl('dgst', '-sha256', '-sign', str(self._private), text=signed))}"


def _openssl(*arguments: str, text: str = "") -> bytes:
    done = subprocess.run(["openssl", *arguments], input=text.encode(), capture_output=True, check=True)
    return done.stdout


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture
def backend(make_backend: MakeBackend) -> Backend:
    return make_backend("g1-0")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("wrong"),
        bearer("-"),
        bearer(digest("first")),
        {"Authorization": "Basic first"},
        bearer("other"),
    ],
    ids=["missing", "wrong", "no key", "the hash", "another scheme", "another service's"],
)
def test_without_a_key_of_the_service_the_answer_is_401(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, headers: dict[str, str]
) -> None:
    route = make_route(backend, access=keys("first", "second"))
    gateway.apply([route, make_route(backend, service="other", access=keys("other"))])
    response = post(route, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="estiva"'
    assert response.headers["x-request-id"]
    assert response.json() == {
        "message": "A key or token of service sum is needed, as header Authorization: Bearer KEY."
    }
    assert not backend.requests


def test_either_key_opens_and_neither_reaches_the_replica(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    route = make_route(backend, access=keys("first", "second"))
    gateway.apply([route])
    assert post(route, headers=bearer("first")).status_code == 200
    assert post(route, headers=bearer("second")).status_code == 200
    assert not any("authorization" in request for request in backend.requests)


def test_a_key_that_is_replaced_stops_at_once_on_open_connections_too(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    gateway.apply([make_route(backend, access=keys("old", "other"))])
    changed = make_route(backend, access=keys("new", "other"))
    before = gateway._process.runtime.workers()
    with httpx.Client(timeout=PATIENCE) as client:
        assert client.post(url(changed), headers=bearer("old")).status_code == 200
        gateway.apply([changed])
        assert client.post(url(changed), headers=bearer("old")).status_code == 401
        assert client.post(url(changed), headers=bearer("other")).status_code == 200
    assert post(changed, headers=bearer("new")).status_code == 200
    assert gateway._process.runtime.workers() == before, "no reload"


def test_a_withdrawn_key_does_not_live_on_in_the_old_process_of_a_reload(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    gateway.apply([make_route(backend, access=keys("old"))])
    with httpx.Client(timeout=PATIENCE) as client:
        assert client.post(url(make_route(backend)), headers=bearer("old")).status_code == 200
        gateway.apply([make_route(backend, access=keys("new"), wait_ms=600)])
        assert client.post(url(make_route(backend)), headers=bearer("old")).status_code == 401


def test_keys_survive_the_process(gateway: Gateway, backend: Backend, make_route: MakeRoute) -> None:
    route = make_route(backend, access=keys("mine"))
    gateway.apply([route])
    gateway.stop()
    gateway.apply([route])
    assert post(route, headers=bearer("mine")).status_code == 200
    assert post(route, headers=bearer("other")).status_code == 401


def test_the_last_key_can_go(gateway: Gateway, backend: Backend, make_route: MakeRoute) -> None:
    gateway.apply([make_route(backend, access=keys("mine"))])
    route = make_route(backend, access=keys())
    gateway.apply([route])
    assert post(route, headers=bearer("mine")).status_code == 401


def test_tokens_open_only_what_they_were_signed_for(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    ours, theirs = Signer(tmp_path / "a"), Signer(tmp_path / "b")
    route = make_route(backend, access=Access(token_key=str(ours.public), token_grant=GRANT))
    gateway.apply([route])
    now = int(time.time())
    good = {"service": "service:sum", "grant": GRANT, "exp": now + 60}

    def status(token: str) -> int:
        return client.post(url(route), headers=bearer(token)).status_code

    with httpx.Client(timeout=PATIENCE) as client:
        assert status(ours.token(good)) == 200
        assert status(theirs.token(good)) == 401
        assert status(ours.token({**good, "exp": now - 1})) == 401
        assert status(ours.token({**good, "service": "service:other"})) == 401
        for missing in good:
            assert status(ours.token({name: good[name] for name in good if name != missing})) == 401
        assert status(ours.token({**good, "grant": GRANT[::-1]})) == 401
        assert status(ours.token(good, "none")) == 401
        assert status(ours.token(good, "HS256")) == 401
        header, _, signature = ours.token(good).split(".")
        later = _encode(json.dumps({**good, "exp": now + 600}).encode())
        assert status(f"{header}.{later}.{signature}") == 401
        assert status("a.b.c") == 401
    assert post(route).status_code == 401
    assert len(backend.requests) == 1


def test_tokens_of_a_grant_that_was_replaced_stop_at_once_on_open_connections_too(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, tmp_path: Path
) -> None:
    folder = tmp_path / "with a space"
    folder.mkdir()
    signer = Signer(folder)
    access = Access(token_key=str(signer.public), token_grant=GRANT)
    token = signer.token({"service": "service:sum", "grant": GRANT, "exp": int(time.time()) + 60})
    route = make_route(backend, access=access)
    gateway.apply([route])
    before = gateway._process.runtime.workers()
    with httpx.Client(timeout=PATIENCE) as client:
        assert client.post(url(route), headers=bearer(token)).status_code == 200
        gateway.apply([make_route(backend, access=access.model_copy(update={"token_grant": GRANT[::-1]}))])
        assert client.post(url(route), headers=bearer(token)).status_code == 401
    assert gateway._process.runtime.workers() == before, "no reload"


def test_a_key_that_sends_too_much_is_429_and_others_do_not_notice(
    gateway: Gateway, backend: Backend, make_route: MakeRoute
) -> None:
    access = keys("greedy", "modest").model_copy(update={"requests_per_second": 5})
    route = make_route(backend, access=access)
    gateway.apply([route])
    with httpx.Client(timeout=PATIENCE) as client:
        responses = [client.post(url(route), headers=bearer("greedy")) for _ in range(40)]
    refused = [response for response in responses if response.status_code == 429]
    assert {response.status_code for response in responses} == {200, 429}
    assert refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["message"].startswith("One key may send 5 requests a second to service sum.")
    assert post(route, headers=bearer("modest")).status_code == 200


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Signed by itself, for localhost."""
    pem, key = tmp_path / "tls.pem", tmp_path / "tls.key"
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", f"subjectAltName=DNS:localhost,IP:{LOOPBACK}"]
    _openssl(*request, *names, "-keyout", str(key), "-out", str(pem))
    pem.write_text(pem.read_text() + key.read_text())
    return pem


def secure(route: Route, certificate: Path) -> Route:
    host, port = listener(route)
    return route.model_copy(update={"listener": Listener(host=host, port=port, certificate=str(certificate))})


def test_a_port_with_a_certificate_speaks_tls_alone(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, certificate: Path
) -> None:
    route = secure(make_route(backend, access=keys("mine")), certificate)
    gateway.apply([route])
    trust = ssl.create_default_context(cafile=str(certificate))
    https = url(route).replace("http:", "https:")
    with httpx.Client(verify=trust, timeout=PATIENCE) as client:
        assert client.post(https, headers=bearer("mine")).text == "g1-0"
    with pytest.raises(httpx.TransportError):
        post(route)


def test_tls_older_than_1_2_is_refused(
    gateway: Gateway, backend: Backend, make_route: MakeRoute, certificate: Path
) -> None:
    route = secure(make_route(backend), certificate)
    gateway.apply([route])
    host, port = listener(route)
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        input=b"",
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode
    assert b"alert protocol version" in done.stderr


def test_the_list_of_keys_is_read() -> None:
    assert parse("Unknown ACL identifier. Please use #<id> or <file>.") is None
    assert parse("") == set()
    assert parse("0x55d0 service:sum:AB\n0x55d8 service:sum:CD\n") == {"service:sum:AB", "service:sum:CD"}
