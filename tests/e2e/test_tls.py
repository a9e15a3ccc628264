"""Services that speak TLS, as their callers and their owner see them."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from estiva import AksWebservice, LocalWebservice, Model, Webservice
from estiva.errors import WebserviceException
from estiva.home import Home
from estiva.records import Certificate, now
from estiva.sdk.scoring import score
from estiva.sdk.self_signed import self_signed
from tests.e2e.conftest import Project, body

NAME = "scoring.example.com"


def files(folder: Path, days: int = 90) -> dict[str, Any]:
    """A fresh certificate, as parameters of deploy_configuration."""
    texts = self_signed(NAME, days)
    for name, text in zip(("host.crt", "host.key"), texts, strict=True):
        (folder / name).write_text(text)
    return {
        "ssl_cert_pem_file": str(folder / "host.crt"),
        "ssl_key_pem_file": str(folder / "host.key"),
        "ssl_cname": NAME,
    }


def deploy(project: Project, **options: Any) -> LocalWebservice:
    configuration = LocalWebservice.deploy_configuration(**options)
    service = Model.deploy(project.workspace, "doubling", [], project.inference(), configuration)
    service.wait_for_deployment()
    assert isinstance(service, LocalWebservice)
    return service


def post(folder: Path, service: Webservice) -> httpx.Response:
    """From a caller who knows one certificate; its name is nowhere in the DNS."""
    trusted = ssl.create_default_context(cafile=str(folder / "host.crt"))
    uri = str(service.scoring_uri).replace(NAME, "localhost")
    with httpx.Client(verify=trusted, timeout=30) as http:
        return http.post(uri, content=body(1), extensions={"sni_hostname": NAME})


def test_a_service_speaks_tls_alone_and_run_knows_its_certificate(
    project: Project, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    service = deploy(project, ssl_enabled=True, **files(project.folder, days=20))
    assert service.scoring_uri == f"https://{NAME}:{service.port}/score"
    assert service.run(body(1)) == [2]
    assert post(project.folder, service).json() == [2]
    with pytest.raises(WebserviceException, match=r"certificate that answers at .* is not accepted"):
        score(
            service._view.local_uri,
            body(1),
            timeout_ms=1000,
            certificate=Certificate(name=NAME, expires=now(), chain=self_signed(NAME)[0], file=""),
        )
    with pytest.raises(httpx.TransportError):
        httpx.post(f"http://localhost:{service.port}/score", content=body(1))
    with pytest.raises(httpx.ConnectError, match="verify failed"):
        httpx.post(f"https://localhost:{service.port}/score", content=body(1), trust_env=False)

    assert service.certificate is not None
    assert service.certificate.startswith(f"for {NAME}, ends in 19 days")
    service.wait_for_deployment(show_output=True)
    assert f"Warning: the TLS certificate for {NAME} ends in 19 days" in capsys.readouterr().out
    assert f"for {NAME}, ends in 19 days" in service._repr_html_()

    secret = (project.folder / "host.key").read_text().splitlines()[1].encode()
    holders = [path for path in home.root.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert [path.parent for path in holders] == [home.secrets / "tests"]
    assert holders[0].stat().st_mode & 0o777 == 0o600


def test_a_certificate_is_renewed_without_a_lost_request(project: Project) -> None:
    first = files(project.folder)
    service = deploy(project, ssl_enabled=True, **first)
    stop = threading.Event()
    answers: list[object] = []
    failures: list[Exception] = []

    def call() -> None:
        try:
            while not stop.is_set():
                answers.append(Webservice(project.workspace, "doubling").run(body(1)))
        except WebserviceException as error:
            failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    try:
        for _ in range(3):
            count = len(answers)
            renewed = LocalWebservice.deploy_configuration(**files(project.folder))
            service.update(deployment_config=renewed, wait=True)
            assert post(project.folder, service).json() == [2], "the new one is in force"
            while len(answers) < count + 5 and not failures:
                stop.wait(0.01)
    finally:
        stop.set()
        thread.join(30)
    assert failures == []
    assert all(answer == [2] for answer in answers)
    assert service.generation == 1


def test_a_pair_that_does_not_fit_changes_nothing(project: Project) -> None:
    good = files(project.folder)
    service = deploy(project, ssl_enabled=True, **good)
    (project.folder / "other.key").write_text(self_signed(NAME)[1])
    wrong = LocalWebservice.deploy_configuration(
        **{**good, "ssl_key_pem_file": str(project.folder / "other.key")}
    )
    with pytest.raises(WebserviceException, match="The TLS key is not the one of the certificate"):
        service.update(deployment_config=wrong)
    assert service.run(body(1)) == [2]
    plain = LocalWebservice.deploy_configuration(ssl_enabled=False)
    service.update(deployment_config=plain, wait=True)
    assert service.scoring_uri == f"http://localhost:{service.port}/score"
    assert service.run(body(1)) == [2]


def test_the_port_that_services_share_has_one_certificate(project: Project) -> None:
    service = Model.deploy(
        project.workspace, "doubling", [], project.inference(), AksWebservice.deploy_configuration()
    )
    service.wait_for_deployment()
    with pytest.raises(WebserviceException, match="the certificate is that port's"):
        service.update(ssl_enabled=True, **files(project.folder))
    project.workspace.enable_ssl(**files(project.folder))
    service.update_deployment_state()
    assert str(service.scoring_uri).startswith(f"https://{NAME}:")
    assert service.run(body(1)) == [2]
    assert post(project.folder, service).status_code == 401
    with pytest.raises(httpx.TransportError):
        httpx.post(str(service.scoring_uri).replace(f"https://{NAME}", "http://localhost"))
    project.workspace.disable_ssl()
    service.update_deployment_state()
    assert str(service.scoring_uri).startswith("http://localhost:")
    assert service.run(body(1)) == [2]
