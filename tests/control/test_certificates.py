from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from estiva.control.certificates import read
from estiva.errors import WebserviceException
from estiva.messages import CertificateRequest
from estiva.records import now
from estiva.sdk.self_signed import self_signed

NAME = "scoring.example.com"


def request(pair: tuple[str, str], name: str | None = None) -> CertificateRequest:
    return CertificateRequest(chain=pair[0], private_key=SecretStr(pair[1]), name=name)


def refused(wanted: CertificateRequest, days: int = 0) -> str:
    with pytest.raises(WebserviceException) as caught:
        read(wanted, None, now() + timedelta(days=days))
    assert caught.value.code == "CertificateInvalid"
    assert "PRIVATE KEY-----\n" not in caught.value.message + caught.value.detail
    return caught.value.message


def test_what_is_known_of_a_certificate_has_no_key_in_it() -> None:
    pair = self_signed(NAME, days=10)
    certificate, content = read(request(pair), None, now())
    assert certificate.name == NAME
    assert timedelta(days=9) < certificate.expires - now() < timedelta(days=10)
    assert certificate.chain == pair[0]
    assert "PRIVATE" not in certificate.model_dump_json()
    assert content.decode() == pair[0] + pair[1]
    assert read(request(pair), None, now())[0] == certificate
    assert read(request(self_signed(NAME)), None, now())[0].file != certificate.file


def test_the_name_is_the_one_given_else_the_one_before_else_the_first() -> None:
    pair = self_signed("*.example.com")
    assert "Say the name of the service's host" in refused(request(pair))
    first, _ = read(request(pair, "a.example.com"), None, now())
    assert first.name == "a.example.com"
    assert read(request(pair), first, now())[0].name == "a.example.com"
    assert read(request(self_signed("127.0.0.1")), None, now())[0].name == "127.0.0.1"
    for other in ("example.com", "a.b.example.com", "example.org", ".example.com", "a b.example.com"):
        assert f"was not issued for {other!r}" in refused(request(pair, other))


def test_what_callers_would_stumble_over_is_refused() -> None:
    pair, other = self_signed(NAME), self_signed(NAME)
    assert "The TLS key is not the one of the certificate" in refused(request((pair[0], other[1])))
    assert "The TLS certificate has expired: it is valid from" in refused(request(pair), days=91)
    assert "is not valid yet" in refused(request(pair), days=-1)
    assert "The TLS certificate cannot be read" in refused(request(("rubbish", pair[1])))
    assert "The TLS key cannot be read" in refused(request((pair[0], "rubbish")))
    assert "The TLS key cannot be read" in refused(request((pair[0], pair[0])))


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def test_a_key_with_a_password_or_too_few_bits_is_refused(tmp_path: Path) -> None:
    chain, key = self_signed(NAME)
    (tmp_path / "key").write_text(key)
    openssl(tmp_path, "pkey", "-in", "key", "-aes256", "-passout", "pass:secret", "-out", "locked")
    assert "protected by a password" in refused(request((chain, (tmp_path / "locked").read_text())))
    short = ("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=short", "-days", "2")
    openssl(tmp_path, *short, "-keyout", "short.key", "-out", "short.crt")
    pair = (tmp_path / "short.crt").read_text(), (tmp_path / "short.key").read_text()
    assert "has 1024 bits" in refused(request(pair))
