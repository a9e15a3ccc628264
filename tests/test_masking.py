from __future__ import annotations

import pytest

from estiva.masking import Mask, names_secret
from estiva.records import Evidence, StepName


@pytest.mark.parametrize(
    "text",
    [
        "DB_PASSWORD=hunter22",
        "password: hunter22",
        '{"api_key": "hunter22"}',
        "postgresql://ana:hunter22@db/iris",
        "https://store.example/blob?sv=2020&sig=hunter22&se=1",
        "Authorization: Bearer hunter22",
        "curl -H 'Authorization: Bearer hunter22-hunter22'",
        "AccountKey=hunter22;EndpointSuffix=core",
        "server --token hunter22 --port 1",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter22\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str) -> None:
    hidden = Mask().text(text)
    assert "hunter22" not in hidden
    assert "***" in hidden


@pytest.mark.parametrize(
    "text",
    [
        "KeyError: 'data'",
        "tokenizer = load(path)",
        "score.py, line 5, in init(): the key of a dict is missing",
        "https://store.example/path?version=2",
        "ModuleNotFoundError: No module named 'secrets_of_nobody'",
    ],
)
def test_what_only_resembles_one_stays(text: str) -> None:
    assert Mask().text(text) == text


def test_known_secrets_are_hidden_wherever_they_are_also_as_part_of_a_url() -> None:
    mask = Mask(["tr/eat", "tr", "treat-1", ""])
    assert mask.text("trick or tr/eat, tr%2Feat and treat-1") == "trick or ***, *** and ***"


def test_a_record_is_hidden_as_a_whole() -> None:
    seen = Evidence(step=StepName.INIT, error="no hunter22", log_tail=("line", "hunter22"), exit_code=3)
    assert Mask(["hunter22"]).record(seen) == Evidence(
        step=StepName.INIT, error="no ***", log_tail=("line", "***"), exit_code=3
    )


def test_members_that_are_named_like_a_secret_are_hidden_whole() -> None:
    content = {"variables": {"MODEL": "iris", "API_TOKEN": "x y z"}, "list": [{"password": "p"}]}
    assert Mask().content(content) == {
        "variables": {"MODEL": "iris", "API_TOKEN": "***"},
        "list": [{"password": "***"}],
    }


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("DB_PASSWORD", True),
        ("api-key", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("SAS_TOKEN_2", True),
        ("MODEL_KEY_COLUMN", False),
        ("TOKENIZER", False),
        ("MONKEY", False),
    ],
)
def test_names_of_secrets(name: str, secret: bool) -> None:
    assert names_secret(name) is secret
