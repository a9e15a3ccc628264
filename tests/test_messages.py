from __future__ import annotations

import json

import pytest
from pydantic import SecretStr, ValidationError

from estiva.messages import DeploymentRequest, ModelReference, Progress, ServerStatus, TrialRequest

SECRET = "hunter2"

REQUEST = DeploymentRequest(
    models=(ModelReference(name="iris", version=1), ModelReference(path="/home/ana/model.pkl")),
    entry_script="/home/ana/score.py",
    interpreter="/usr/bin/python3",
    secrets={"TOKEN": SecretStr(SECRET)},
)


def test_a_request_arrives_as_it_was_sent_secrets_included() -> None:
    arrived = DeploymentRequest.model_validate_json(json.dumps(REQUEST.body()))
    assert arrived == REQUEST
    assert arrived.secrets is not None
    assert arrived.secrets["TOKEN"].get_secret_value() == SECRET


def test_a_trial_arrives_too() -> None:
    trial = TrialRequest.model_validate({**REQUEST.body(), "data": "[1]"})
    assert TrialRequest.model_validate_json(json.dumps(trial.body())) == trial


def test_only_the_body_shows_secrets() -> None:
    assert SECRET in json.dumps(REQUEST.body())
    for shown in (repr(REQUEST), REQUEST.model_dump_json(), repr(REQUEST.model_dump())):
        assert SECRET not in shown


def test_no_secrets_and_secrets_as_they_are_differ() -> None:
    assert DeploymentRequest(interpreter="/p").body()["secrets"] is None
    assert DeploymentRequest(interpreter="/p", secrets={}).body()["secrets"] == {}


def test_the_status_of_another_release_can_be_read() -> None:
    assert ServerStatus.model_validate({"version": "9", "pid": 1, "of_the_future": True}).version == "9"


def test_a_misspelt_part_of_a_request_is_refused() -> None:
    with pytest.raises(ValidationError, match="entry_scrip"):
        DeploymentRequest.model_validate({"interpreter": "/p", "entry_scrip": "x"})


def test_a_line_of_a_stream_is_one_of_four_kinds() -> None:
    assert Progress.model_validate_json('{"message": "a"}').kind == "message"
    with pytest.raises(ValidationError, match="kind"):
        Progress.model_validate_json('{"kind": "other"}')
