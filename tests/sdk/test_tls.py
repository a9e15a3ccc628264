from __future__ import annotations

import ssl
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


def test_a_certificate_is_trusted_beside_those_of_the_machine(files: tuple[Path, Path]) -> None:
    context = trust(CERTIFICATE.model_copy(update={"chain": files[0].read_text()}))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) > 0
