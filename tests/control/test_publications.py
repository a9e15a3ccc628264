from __future__ import annotations

import socket

import pytest

from estiva.control import publications
from estiva.errors import GatewayException, WebserviceException
from estiva.messages import PublicationRequest
from estiva.records import Certificate, Publication, Workspace, now
from tests.registry.samples import KEY, service

LAB = Workspace(name="lab", port=9000)
CERTIFICATE = Certificate(name="example.com", expires=now(), chain="PEM", file="tls.pem")


def test_with_a_certificate_the_address_is_the_name_in_it() -> None:
    own = Publication(host="0.0.0.0", port=8890, certificate=CERTIFICATE)
    assert publications.scoring_uri(KEY, own, LAB) == "https://example.com:8890/score"
    assert publications.local_uri(KEY, own, LAB) == "https://localhost:8890/score"
    secured = LAB.model_copy(update={"certificate": CERTIFICATE})
    assert publications.scoring_uri(KEY, Publication(port=8890), secured) == "http://localhost:8890/score"
    assert publications.scoring_uri(KEY, Publication(), secured) == (
        "https://example.com:9000/api/v1/service/diabetes/score"
    )


def test_a_certificate_is_needed_for_tls_and_kept_until_it_ends() -> None:
    with pytest.raises(WebserviceException, match="TLS needs a certificate"):
        publications.published("local", PublicationRequest(ssl_enabled=True), [])
    own = publications.published("local", PublicationRequest(ssl_enabled=True), [], CERTIFICATE)
    assert publications.changed(KEY, own, PublicationRequest()) == own
    assert publications.changed(KEY, own, PublicationRequest(ssl_enabled=True)) == own
    assert publications.changed(KEY, own, PublicationRequest(ssl_enabled=False)).certificate is None
    renewed = CERTIFICATE.model_copy(update={"file": "other.pem"})
    assert publications.changed(KEY, own, PublicationRequest(), renewed).certificate == renewed
    with pytest.raises(WebserviceException, match="the certificate is that port's"):
        publications.published("kubernetes", PublicationRequest(ssl_enabled=True), [], CERTIFICATE)


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "localhost"),
        ("0.0.0.0", "localhost"),
        ("::", "localhost"),
        ("::1", "[::1]"),
        ("10.1.2.3", "10.1.2.3"),
    ],
)
def test_the_address_is_the_one_that_callers_on_this_machine_use(host: str, shown: str) -> None:
    assert (
        publications.scoring_uri(KEY, Publication(host=host, port=8890), LAB) == f"http://{shown}:8890/score"
    )


def test_a_port_of_another_service_is_refused_with_its_name() -> None:
    with pytest.raises(WebserviceException, match="Port 8890 belongs to the service lab/diabetes"):
        publications.published("local", PublicationRequest(port=8890), [service()])


def test_a_port_of_another_program_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(WebserviceException, match=f"Port {port} on 127.0.0.1 is in use") as caught:
            publications.published("local", PublicationRequest(port=port), [])
    assert caught.value.code == "PortInUse"


def test_without_a_wish_a_free_port_of_loopback_is_taken() -> None:
    published = publications.published("local", PublicationRequest(), [service()])
    assert published.host == "127.0.0.1"
    assert published.port not in (None, 8890)


def test_the_port_stays_in_an_update() -> None:
    before = Publication(host="10.1.2.3", port=8890)
    for wanted in (PublicationRequest(), PublicationRequest(host="127.0.0.1", port=8890)):
        assert publications.changed(KEY, before, wanted) == before
    with pytest.raises(WebserviceException, match="port 8890, which does not change") as caught:
        publications.changed(KEY, before, PublicationRequest(port=8891))
    assert caught.value.code == "PortChange"


def test_a_kubernetes_service_shares_the_port_and_asks_for_keys_unless_told_otherwise() -> None:
    shared = publications.published("kubernetes", PublicationRequest(), [service()])
    assert (shared.port, shared.auth_enabled) == (None, True)
    assert publications.scoring_uri(KEY, shared, LAB) == (
        "http://localhost:9000/api/v1/service/diabetes/score"
    )
    open_to_all = publications.published("kubernetes", PublicationRequest(auth_enabled=False), [])
    assert open_to_all.auth_enabled is False


@pytest.mark.parametrize(
    "publication",
    [Publication(), Publication(port=8890, auth_enabled=True), Publication(port=1, certificate=CERTIFICATE)],
)
def test_without_a_gateway_there_are_neither_keys_nor_a_shared_port(publication: Publication) -> None:
    with pytest.raises(GatewayException, match="needs HAProxy"):
        publications.check_gateway(publication, available=False)
    publications.check_gateway(Publication(port=8890), available=False)
