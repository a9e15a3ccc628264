from __future__ import annotations

from estiva.specification import nearest
from estiva.specification.refusals import refusal, suggestion


def test_the_nearest_word() -> None:
    assert nearest("Chanels", ["name", "channels"]) == "channels"
    assert nearest("xyz", ["name", "channels"]) is None
    assert suggestion("nam", ["name"]) == '; did you mean "name"?'
    assert suggestion("xyz", ["name"]) == "."


def test_a_refusal_begins_with_its_place() -> None:
    assert refusal("it is wrong.", place="a.yml, line 3").message == "a.yml, line 3: it is wrong."
    assert refusal("it is wrong.").code == "SpecificationInvalid"
