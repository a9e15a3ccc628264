"""What the options about callers do to a service, command by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from estiva.cli.access import Authentication, authentication, warn_if_public
from estiva.errors import WebserviceException
from tests.cli.conftest import Run

SCRIPT = "def init(): pass\ndef run(data): return data\n"


def test_keys_tokens_tls_and_a_limit_come_and_go_by_options(run: Run, tmp_path: Path) -> None:
    (tmp_path / "score.py").write_text(SCRIPT)
    entry = ["--entry", str(tmp_path / "score.py")]
    run("certificate", "create", "localhost", "--folder", str(tmp_path))
    files = ["--tls-cert", str(tmp_path / "localhost.crt"), "--tls-key", str(tmp_path / "localhost.key")]
    try:
        run("deploy", "echo", *entry, "--auth", "keys", "--rate", "1000", *files, "--no-wait")
        assert json.loads(run("service", "run", "echo", "--data", "1")) == "1"
        shown = json.loads(run("service", "show", "echo", "-o", "json"))
        assert shown["scoring_uri"].startswith("https://localhost:")
        assert "for localhost, ends in 89 days" in shown["certificate"]
        assert set(json.loads(run("service", "keys", "echo", "-o", "json"))) == {"primary", "secondary"}

        run("service", "update", "echo", "--auth", "none", "--rate", "0", "--no-tls")
        assert json.loads(run("service", "run", "echo", "--data", "2")) == "2"
        assert "http://localhost:" in run("service", "show", "echo")

        run("deploy", "kube", *entry, "--kind", "kubernetes", "--auth", "token")
        token = run("service", "token", "kube").strip()
        assert token.count(".") == 2
        with pytest.raises(WebserviceException, match="asks its callers for tokens, not for keys"):
            run("service", "keys", "kube")
        run("service", "update", "kube", "--auth", "keys")
        assert json.loads(run("service", "run", "kube", "--data", "3")) == "3"
        run("service", "keys", "kube")
    finally:
        run("service", "delete", "echo")
        run("service", "delete", "kube")
        run("down")


@pytest.mark.parametrize(
    ("host", "chosen", "warned"),
    [
        (None, None, False),
        ("127.0.0.1", None, False),
        ("0.0.0.0", None, True),
        ("0.0.0.0", Authentication.NONE, True),
        ("0.0.0.0", Authentication.KEYS, False),
    ],
)
def test_a_service_for_everybody_is_warned_about(
    host: str | None, chosen: Authentication | None, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    warn_if_public(host, chosen)
    assert ("without keys" in capsys.readouterr().err) == warned


def test_what_is_not_chosen_stays_as_it_is() -> None:
    assert authentication(None, tokens=True) == {}
    assert authentication(Authentication.NONE, tokens=False) == {"auth_enabled": False}
    assert authentication(Authentication.TOKEN, tokens=True) == {
        "auth_enabled": False,
        "token_auth_enabled": True,
    }
