from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.control import traffic
from estiva.errors import WebserviceException
from estiva.records import Endpoint, EndpointVersion, Publication

NAMES = ("a", "b", "c")
ALL = frozenset(NAMES)


def endpoint(*defaults: str, **shares: int) -> Endpoint:
    """With a version for each share."""
    versions = tuple(EndpointVersion(name=name, traffic_percentile=share) for name, share in shares.items())
    return Endpoint(
        workspace="lab",
        name="churn",
        publication=Publication(),
        versions=versions,
        defaults=defaults or (versions[0].name,),
    )


def test_the_default_takes_what_no_other_claims() -> None:
    assert traffic.shares(endpoint(a=0, b=10), ALL) == {"a": 90, "b": 10}
    assert traffic.shares(endpoint(a=20), ALL) == {"a": 100}
    assert traffic.shares(endpoint("c", a=40, b=10, c=0), ALL) == {"a": 40, "b": 10, "c": 50}


def test_a_version_that_does_not_serve_yet_gets_nothing() -> None:
    assert traffic.shares(endpoint(a=0, b=10), {"a"}) == {"a": 100, "b": 0}


def test_a_version_that_is_to_be_the_default_takes_over_when_it_serves() -> None:
    before = endpoint(a=0, b=10, c=0)
    after = traffic.promoted(before, "c")
    assert after.defaults == ("c", "a")
    assert traffic.default(after, {"a", "b"}) == "a"
    assert traffic.shares(after, {"a", "b"}) == {"a": 90, "b": 10, "c": 0}
    assert traffic.shares(after, ALL) == {"a": 0, "b": 10, "c": 90}
    assert traffic.promoted(after, "a").defaults == ("a", "c")


def test_where_no_default_serves_another_version_does() -> None:
    assert traffic.default(endpoint(a=0, b=10), {"b"}) == "b"
    assert traffic.default(endpoint(a=0, b=10), ()) == "a"


def test_the_default_makes_room_unless_it_is_named_too() -> None:
    before = endpoint(a=100, b=0)
    after = traffic.divided(before, {"b": 30}, ALL)
    assert [version.traffic_percentile for version in after.versions] == [70, 30]
    with pytest.raises(WebserviceException, match=r"would be 130 in sum \(a 100, b 30\)") as caught:
        traffic.divided(before, {"b": 30, "a": 100}, ALL)
    assert caught.value.code == "TrafficOver100"
    with pytest.raises(WebserviceException, match=r"would be 110 in sum \(b 60, c 50\)"):
        traffic.divided(endpoint(a=0, b=60, c=0), {"c": 50}, ALL)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [({"d": 1}, "VersionNotFound"), ({"a": -1}, "TrafficInvalid"), ({"b": 101}, "TrafficInvalid")],
)
def test_what_cannot_be(wanted: dict[str, int], code: str) -> None:
    with pytest.raises(WebserviceException) as caught:
        traffic.divided(endpoint(a=0, b=0), wanted, ALL)
    assert caught.value.code == code


def test_copies_are_no_share() -> None:
    after = traffic.mirrored(endpoint(a=0, b=0), "b", 100)
    assert [version.mirror_percentile for version in after.versions] == [0, 100]
    assert traffic.shares(after, ALL) == {"a": 100, "b": 0}
    with pytest.raises(WebserviceException, match="from 0 to 100, not 101"):
        traffic.mirrored(after, "b", 101)


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 100)), max_size=8),
    st.lists(st.sampled_from(NAMES), max_size=4),
    st.sets(st.sampled_from(NAMES)),
)
def test_whatever_is_changed_each_share_is_possible_and_all_are_100(
    changes: list[tuple[str, int]], promotions: list[str], serving: set[str]
) -> None:
    one = endpoint(a=0, b=0, c=0)
    for name, share in changes:
        with contextlib.suppress(WebserviceException):
            one = traffic.divided(one, {name: share}, serving)
    for name in promotions:
        one = traffic.promoted(one, name)
    found = traffic.shares(one, serving)
    assert sum(found.values()) == 100
    assert all(0 <= share <= 100 for share in found.values())


def test_one_version_is_the_control() -> None:
    first = traffic.controlled(endpoint(a=0, b=0), "a", True)
    second = traffic.controlled(first, "b", True)
    assert [version.is_control for version in second.versions] == [False, True]
    neither = traffic.controlled(second, "b", False)
    assert [version.is_control for version in neither.versions] == [False, False]
    assert traffic.controlled(first, "b", False) == first


def test_the_default_and_the_last_version_cannot_go() -> None:
    with pytest.raises(WebserviceException, match=r"'a' is the default version .*first \(b\)"):
        traffic.check_removal(endpoint(a=0, b=10), "a", ALL)
    with pytest.raises(WebserviceException, match="'a' is the only version"):
        traffic.check_removal(endpoint(a=0), "a", ALL)
    with pytest.raises(WebserviceException, match="no version 'c'"):
        traffic.check_removal(endpoint(a=0), "c", ALL)
    traffic.check_removal(endpoint(a=0, b=10), "b", ALL)
    traffic.check_removal(traffic.promoted(endpoint(a=0, b=10), "b"), "b", {"a"})
