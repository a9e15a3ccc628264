"""A service that asks for keys, as its callers and its owner see it."""

from __future__ import annotations

import httpx
import pytest

from estiva import LocalWebservice, Model, Workspace
from estiva.errors import WebserviceException
from estiva.home import Home
from estiva.sdk.webservice import Webservice
from tests.e2e.conftest import Project, body


def deploy(project: Project, name: str = "doubling", **options: object) -> Webservice:
    configuration = LocalWebservice.deploy_configuration(**options)  # type: ignore[arg-type]
    service = Model.deploy(project.workspace, name, [], project.inference(), configuration, overwrite=True)
    service.wait_for_deployment()
    return service


def status(service: Webservice, key: str | None) -> int:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return httpx.post(str(service.scoring_uri), content=body(1), headers=headers).status_code


def test_only_who_has_a_key_of_this_service_is_let_in(project: Project) -> None:
    service, other = deploy(project, auth_enabled=True), deploy(project, "other", auth_enabled=True)
    primary, secondary = service.get_keys()
    assert [status(service, key) for key in (primary, secondary)] == [200, 200]
    assert [status(service, key) for key in (None, "wrong", *other.get_keys())] == [401] * 4
    assert service.run(body(1)) == [2]


def test_what_is_shown_to_try_says_where_the_key_goes(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    service = deploy(project, auth_enabled=True)
    service.wait_for_deployment(show_output=True)
    shown = capsys.readouterr().out
    assert "-H 'Authorization: Bearer KEY'" in shown
    assert "What opens it:  estiva service keys doubling" in shown
    assert not [key for key in service.get_keys() if key in shown]


def test_a_key_that_is_replaced_stops_at_once_and_the_other_goes_on(project: Project) -> None:
    service = deploy(project, auth_enabled=True, primary_key="set-by-the-user")
    primary, secondary = service.get_keys()
    assert primary == "set-by-the-user"
    service.regen_key("Primary")
    fresh = service.get_keys()[0]
    assert [status(service, key) for key in (primary, secondary, fresh)] == [401, 200, 200]
    service.regen_key("SECONDARY", set_key="another-of-the-user")
    assert service.get_keys() == (fresh, "another-of-the-user")
    assert [status(service, key) for key in (secondary, fresh, "another-of-the-user")] == [401, 200, 200]
    for wrong in ("", "third"):
        with pytest.raises(WebserviceException, match=r"(?i)primary"):
            service.regen_key(wrong)


def test_keys_outlive_updates_and_can_be_switched_off(project: Project) -> None:
    service = deploy(project, auth_enabled=True)
    keys = service.get_keys()
    service = deploy(project)
    assert (service.auth_enabled, service.get_keys(), status(service, None)) == (True, keys, 401)
    service = deploy(project, auth_enabled=False)
    assert (service.auth_enabled, status(service, None)) == (False, 200)


def test_a_key_that_sends_too_much_is_429_until_the_limit_ends(project: Project) -> None:
    service = deploy(project, auth_enabled=True, requests_per_second=2)
    primary, secondary = service.get_keys()
    assert service.requests_per_second == 2
    statuses = [status(service, primary) for _ in range(20)]
    assert set(statuses) == {200, 429}
    assert status(service, secondary) == 200, "another key has a limit of its own"
    with pytest.raises(WebserviceException, match="this service asks its callers for neither"):
        deploy(project, auth_enabled=False)
    service = deploy(project, requests_per_second=0)
    assert [status(service, primary) for _ in range(20)] == [200] * 20


def test_keys_are_nowhere_but_in_the_answer_that_is_for_them(project: Project, home: Home) -> None:
    service = deploy(project, auth_enabled=True, primary_key="a-key-to-look-for")
    service.run(body(1))
    found = Workspace.get(project.workspace.name).webservices["doubling"]
    assert "a-key-to-look-for" not in repr(found) + service.get_logs() + str(vars(found))
    texts = [path for path in home.root.rglob("*") if path.is_file() and "estiva.db" not in path.name]
    assert not [path for path in texts if b"a-key-to-look-for" in path.read_bytes()]
