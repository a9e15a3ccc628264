from __future__ import annotations

import ssl
import subprocess
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from estiva.errors import WebserviceException
from estiva.records import Certificate
from estiva.sdk.configuration import WebserviceDeploymentConfiguration
from estiva.sdk.local import LocalWebserviceDeploymentConfiguration
from estiva.sdk.self_signed import self_signed
from estiva.sdk.tls import certificate_request, expiry_warning, shown, trust

END = datetime(2026, 12, 1, 12, tzinfo=timezone.utc)
CERTIFICATE = Certificate(name="example.com", expires=END, chain="PEM", file="tls.pem")


@pytest.mark.parametrize(
    ("before", "told", "warned"),
    [
        (timedelta(days=31), "ends in 31 days (2026-12-01)", False),
        (timedelta(days=29), "ends in 29 days (2026-12-01)", True),
        (timedelta(days=1, hours=1), "ends in 1 day (2026-12-01)", True),
        (timedelta(hours=-1), "has ended (2026-12-01)", True),
    ],
)
def test_the_end_of_a_certificate_is_shown_and_warned_about(
    before: timedelta, told: str, warned: bool
) -> None:
    assert shown(CERTIFICATE, END - before) == f"for example.com, {told}"
    warning = expiry_warning(CERTIFICATE, END - before)
    assert bool(warning) == warned
    assert warning is None or told in warning


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    certificate, key = tmp_path / "host.crt", tmp_path / "host.key"
    for file, text in zip((certificate, key), self_signed("localhost"), strict=True):
        file.write_text(text)
    return certificate, key


def test_tls_needs_both_files_and_a_name(files: tuple[Path, Path]) -> None:
    def configured(**options: object) -> WebserviceDeploymentConfiguration:
        return LocalWebserviceDeploymentConfiguration(**options)  # type: ignore[arg-type]

    with pytest.raises(WebserviceException, match="ssl_key_pem_file and ssl_cname too"):
        configured(ssl_enabled=True, ssl_cert_pem_file=files[0])
    with pytest.raises(WebserviceException, match="needs both files"):
        configured(ssl_cert_pem_file=files[0])
    with pytest.raises(WebserviceException, match=r"gone\.key does not exist"):
        configured(ssl_cert_pem_file=files[0], ssl_key_pem_file="gone.key")
    good = {"ssl_cert_pem_file": files[0], "ssl_key_pem_file": files[1], "ssl_cname": "localhost"}
    asked = configured(ssl_enabled=True, **good).publication()
    assert asked.ssl_enabled is True
    assert asked.certificate == certificate_request(*files, "localhost")
    secret = files[1].read_text().splitlines()[1]
    assert secret not in repr(asked) + asked.model_dump_json()
    assert secret in asked.body()["certificate"]["private_key"]
    assert certificate_request(None, None, None) is None


def test_what_is_no_text_is_no_certificate(files: tuple[Path, Path]) -> None:
    files[0].write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WebserviceException, match="A PEM file is needed"):
        certificate_request(*files, None)


def issued(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate of an authority that nobody knows, and its key."""
    folder.mkdir()
    make = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj")
    openssl(folder, *make, "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt")
    names = ("-CA", "ca.crt", "-CAkey", "ca.key", "-addext", f"subjectAltName=DNS:{name}")
    openssl(folder, *make, f"/CN={name}", *names, "-keyout", "host.key", "-out", "host.crt")
    return folder / "host.crt", folder / "host.key"


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def shake_hands(client: ssl.SSLContext, name: str, files: tuple[Path, Path]) -> None:
    """Raises SSLError if the client does not accept the server's certificate."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*files)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(back, there, server_hostname=name), server.wrap_bio(there, back, True)]
    while ends:
        for end in list(ends):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
                ends.remove(end)


def test_its_own_certificate_is_trusted_whoever_signed_it_and_no_other(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    for pair in (files, issued(tmp_path / "issued", "localhost")):
        own = trust(CERTIFICATE.model_copy(update={"chain": pair[0].read_text()}))
        shake_hands(own, "localhost", pair)
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            shake_hands(own, "example.com", pair)
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(trust(None), "localhost", pair)
