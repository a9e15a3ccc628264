"""Requests that were refused because of what they are: wrong key, path, method, type or size."""

from __future__ import annotations

from dataclasses import dataclass

from estiva.diagnosis.rules.traffic import count
from estiva.records import Evidence, Finding


@dataclass(frozen=True)
class _Refusal:
    code: str
    what: str
    todo: str


_REFUSALS = {
    401: _Refusal(
        "KeyRefused",
        "had no key, or a wrong one",
        "Send the header `Authorization: Bearer KEY`; `estiva service keys NAME` shows the two keys.",
    ),
    403: _Refusal(
        "KeyRefused",
        "had a token that is not for this service, or has ended",
        "Ask for a new token, and send it as `Authorization: Bearer TOKEN`.",
    ),
    404: _Refusal(
        "PathUnknown",
        "were for a path that does not exist",
        "Post to the scoring URI as it is, with its /score: `estiva service show NAME`.",
    ),
    405: _Refusal(
        "MethodRefused",
        "used a method that the path does not take",
        "Use POST (or GET) for /score: `curl -X POST -d @sample.json URL`.",
    ),
    408: _Refusal("InputSlow", "did not arrive in time", "See what slows down the caller's connection."),
    413: _Refusal(
        "BodyTooLarge",
        "had a larger body than the service takes",
        "Send fewer rows at a time, or put large data elsewhere and send its place.",
    ),
    415: _Refusal(
        "ContentTypeRefused",
        "were not declared as JSON",
        "Send the header `Content-Type: application/json`, which a script with a schema asks for.",
    ),
    400: _Refusal(
        "InputRefused",
        "had a body that cannot be read",
        "Send JSON in UTF-8 with every member that the service's description (/swagger.json) requires.",
    ),
    429: _Refusal("RateLimited", "were over the rate that a key may send", "Send fewer, or raise the limit."),
}


def check(evidence: Evidence) -> Finding | None:
    traffic = evidence.traffic
    found = [(count(traffic, status), status) for status in _REFUSALS] if traffic else []
    number, status = max(found, default=(0, 0))
    if traffic is None or not number:
        return None
    refusal = _REFUSALS[status]
    example = (
        (f"A request that works: {evidence.example}",) if evidence.example and status in (400, 415) else ()
    )
    return Finding(
        code=refusal.code,
        title=f"{number} of {traffic.requests} requests {refusal.what} ({status})",
        what=f"The service is well; in the last {traffic.seconds / 60:.0f} min callers got {status}."
        if traffic.seconds >= 60
        else f"The service is well; callers got {status}.",
        evidence=(f"{number} x {status} in the gateway's access log",),
        todo=(refusal.todo, *example),
        certainty=0.5,
    )
