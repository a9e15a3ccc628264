"""A service that asks for tokens, as its callers and its owner see it."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import jwt
import pytest

from estiva import AksWebservice, LocalWebservice, Model
from estiva.cli.access import Authentication, authentication, show_token
from estiva.cli.output import Format
from estiva.errors import UserErrorException, WebserviceException
from estiva.home import Home
from estiva.sdk.kubernetes import KubernetesWebservice
from estiva.sdk.webservice import Webservice
from tests.e2e.conftest import Project, body


def deploy(project: Project, name: str = "doubling", **options: Any) -> KubernetesWebservice:
    configuration = AksWebservice.deploy_configuration(**options)
    service = Model.deploy(project.workspace, name, [], project.inference(), configuration)
    service.wait_for_deployment()
    assert isinstance(service, KubernetesWebservice)
    return service


def status(service: Webservice, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(str(service.scoring_uri), content=body(1), headers=headers).status_code


def test_only_who_has_a_good_token_of_this_service_is_let_in(project: Project, home: Home) -> None:
    service, other = (
        deploy(project, token_auth_enabled=True),
        deploy(project, "other", token_auth_enabled=True),
    )
    token = service.get_access_token()
    assert (token.token_type, token.expiry_on - token.refresh_after) == ("Bearer", timedelta(minutes=15))
    assert token.expiry_on - datetime.now(timezone.utc).replace(tzinfo=None) > timedelta(minutes=55)
    assert status(service, token.access_token) == 200
    assert status(service, service.get_token()[0]) == 200
    assert status(service, other.get_access_token().access_token) == 401
    key = (home.secrets / "tests" / "tokens.key").read_bytes()
    claims = jwt.decode(token.access_token, options={"verify_signature": False})
    ended = {**claims, "exp": claims["iat"] - 1}
    assert status(service, jwt.encode(claims, key, "RS256")) == 200
    assert status(service, jwt.encode(ended, key, "RS256")) == 401
    assert status(service, jwt.encode(claims, "a" * 64, "HS256")) == 401

    service.revoke_tokens()
    refused = httpx.post(
        str(service.scoring_uri), headers={"Authorization": f"Bearer {token.access_token}"}, content=body(1)
    )
    assert (refused.status_code, list(refused.json())) == (401, ["message"])
    assert status(service, service.get_access_token().access_token) == 200
    assert other.run(body(1)) == [2]


def test_run_gets_and_renews_its_token_by_itself(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    service = deploy(project, token_auth_enabled=True)
    assert service.run(body(1)) == [2]
    first = service._token
    assert first is not None
    assert service.run(body(1)) == [2]
    assert service._token is first, "used again while it is good"
    service.revoke_tokens()
    assert service.run(body(1)) == [2]
    assert service._token not in (None, first)
    renewed = service._token
    monkeypatch.setattr("estiva.sdk.access.now", lambda: first.refresh_after + timedelta(minutes=1))
    assert service.run(body(1)) == [2]
    assert service._token is not renewed, "renewed before it ends"


def test_keys_and_tokens_exclude_each_other(project: Project) -> None:
    service = deploy(project, token_auth_enabled=True)
    with pytest.raises(WebserviceException, match="asks its callers for tokens, not for keys"):
        service.get_keys()
    with pytest.raises(WebserviceException, match="asks its callers for tokens, not for keys"):
        service.regen_key("Primary")
    with pytest.raises(WebserviceException, match="for keys or for tokens, not for both"):
        service.update(auth_enabled=True)
    service.update(auth_enabled=True, token_auth_enabled=False, wait=True)
    with pytest.raises(WebserviceException, match="does not take tokens"):
        service.get_access_token()
    with pytest.raises(WebserviceException, match="does not take tokens"):
        service.revoke_tokens()
    assert status(service, service.get_keys()[0]) == 200
    local = Model.deploy(
        project.workspace, "local", [], project.inference(), LocalWebservice.deploy_configuration()
    )
    with pytest.raises(NotImplementedError):
        local.get_token()  # type: ignore[attr-defined]


def test_switching_between_keys_and_tokens_loses_no_request_of_run(project: Project) -> None:
    service = deploy(project)
    stop = threading.Event()
    answers: list[object] = []
    failures: list[WebserviceException] = []

    def call() -> None:
        caller = Webservice(project.workspace, "doubling")
        try:
            while not stop.is_set():
                answers.append(caller.run(body(1)))
        except WebserviceException as error:
            failures.append(error)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for tokens in (True, False, True):
            count = len(answers)
            service.update(auth_enabled=not tokens, token_auth_enabled=tokens, wait=True)
            while len(answers) < count + 10 and not failures:
                stop.wait(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert failures == []
    assert all(answer == [2] for answer in answers)
    assert service.generation == 1, "nothing was deployed anew"


def test_the_command_prints_a_token_that_opens(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    service = deploy(project, **authentication(Authentication.TOKEN, tokens=True))
    show_token(service, revoke=False, output=Format.TABLE)
    token = capsys.readouterr().out.strip()
    assert status(service, token) == 200
    show_token(service, revoke=True, output=Format.TABLE)
    assert status(service, token) == 401
    show_token(service, revoke=False, output=Format.JSON)
    shown = json.loads(capsys.readouterr().out)
    assert status(service, shown["access_token"]) == 200
    service.wait_for_deployment(show_output=True)
    shown = capsys.readouterr().out
    assert "-H 'Authorization: Bearer TOKEN'" in shown
    assert "estiva service token doubling" in shown
    with pytest.raises(UserErrorException, match="Only Kubernetes services have tokens"):
        authentication(Authentication.TOKEN, tokens=False)
