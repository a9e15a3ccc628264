"""The ids of requests, whatever they are."""

from __future__ import annotations

import json
from uuid import RFC_4122, UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from estiva_server.exchange import ID_LENGTH, Exchange, Response, new_id
from estiva_server.replies import check_header

IDS = {
    "HTTP_X_REQUEST_ID": "x-request-id",
    "HTTP_X_MS_REQUEST_ID": "x-ms-request-id",
    "HTTP_X_MS_CLIENT_REQUEST_ID": "x-ms-client-request-id",
}
TRACE = {"HTTP_TRACEID": "traceid"}
# What the native server passes on of a header: visible ASCII, with spaces in it.
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=3 * ID_LENGTH)
SCOPES = st.fixed_dictionaries({}, optional=dict.fromkeys({**IDS, **TRACE}, VALUES | st.just("")))


def ask(scope: dict[str, str]) -> Response:
    answers: list[Response] = []
    exchange = Exchange(scope, answers.append)
    if exchange.ids_fit():
        exchange.reply(200, b"")
    (answer,) = answers
    return answer


@settings(deadline=None)
@given(SCOPES)
def test_every_answer_has_each_id_once_and_fit_to_be_sent(scope: dict[str, str]) -> None:
    headers = ask(scope).headers
    names = [name for name, _ in headers]
    assert len(names) == len(set(names))
    assert all(check_header(*one) == one for one in headers)


@settings(deadline=None)
@given(SCOPES)
def test_what_was_sent_is_echoed_or_refused(scope: dict[str, str]) -> None:
    answer = ask(scope)
    headers = dict(answer.headers)
    long = [name for key, name in IDS.items() if len(scope.get(key, "")) > ID_LENGTH]
    if long:
        assert answer.status == 431
        assert isinstance(answer.body, bytes)
        message = json.loads(answer.body)["message"]
        assert message == f"The header {long[0]} is longer than 100 characters."
        assert all(len(value) <= ID_LENGTH for value in headers.values())
    else:
        assert answer.status == 200
        sent = {name: scope[key] for key, name in {**IDS, **TRACE}.items() if scope.get(key)}
        assert sent.items() <= headers.items()


@settings(deadline=None)
@given(SCOPES)
def test_a_request_without_an_id_gets_one_of_its_own(scope: dict[str, str]) -> None:
    scope = {**scope, "HTTP_X_REQUEST_ID": ""}
    first, second = (dict(ask(scope).headers).get("x-request-id") for _ in range(2))
    assert first
    assert first != second


def test_new_ids_are_random_uuids() -> None:
    ids = [new_id() for _ in range(200)]
    found = [UUID(one) for one in ids]
    assert [str(one) for one in found] == ids
    assert {(one.version, one.variant) for one in found} == {(4, RFC_4122)}
    assert len(set(ids)) == len(ids)
