"""Files that people have written by hand, with an entry more."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.sdk.launch_json import LaunchJsonError, updated

ENTRY: dict[str, Any] = {
    "name": "Estiva: iris",
    "type": "debugpy",
    "connect": {"host": "127.0.0.1", "port": 5678},
}

COMMENTED = """\
// Use IntelliSense to learn about possible attributes.
{
    "version": "0.2.0", // always
    "configurations": [
        {
            "name": "Python: file", /* mine */
            "program": "${file}", // "quoted" }, ]
            "args": ["//no comment", "/* nor */ this", "\\"]"],
        }, // the first
        // and no other
    ]
}
"""


def read(text: str) -> Any:
    """As another reader has it: without comments and trailing commas."""
    strings_and_comments = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\r\n]*|/\*.*?\*/', re.DOTALL)
    bare = strings_and_comments.sub(
        lambda found: found[0] if found[0][0] == '"' else " ", text.lstrip("\ufeff")
    )
    strings_and_commas = re.compile(r'"(?:[^"\\]|\\.)*"|,(?=[\s\ufeff]*[}\]])', re.DOTALL)
    return json.loads(strings_and_commas.sub(lambda found: found[0] if found[0][0] == '"' else "", bare))


def test_a_file_that_is_not_there_yet() -> None:
    text = updated("", ENTRY)
    assert read(text) == {"version": "0.2.0", "configurations": [ENTRY]}
    assert text.endswith("}\n")


def test_comments_and_other_entries_stay_to_the_letter() -> None:
    added = '        {\n            "name": "Estiva: iris",\n            "type": "debugpy"\n        }\n'
    assert updated(COMMENTED, {"name": "Estiva: iris", "type": "debugpy"}) == COMMENTED.replace(
        "}, // the first\n", f"}}, // the first\n{added}"
    )


def test_an_entry_of_that_name_keeps_what_is_not_said_and_its_comments() -> None:
    once = updated(COMMENTED, ENTRY)
    changed = once.replace(
        '"type": "debugpy",', '"type": "debugpy", // mine\n            "justMyCode": false,'
    )

    again = updated(changed, {**ENTRY, "connect": {"host": "127.0.0.1", "port": 6000}, "request": "attach"})

    assert read(again)["configurations"][1] == {
        **ENTRY,
        "justMyCode": False,
        "connect": {"host": "127.0.0.1", "port": 6000},
        "request": "attach",
    }
    assert '"type": "debugpy", // mine\n' in again
    assert updated(changed, ENTRY) == changed


@pytest.mark.parametrize(
    "text",
    [
        "// nothing but a comment",
        "/* nothing */\n",
        "{}",
        "{ }",
        "{ // empty\n}",
        '{"version": "0.2.0"}',
        '{"version": "0.2.0",}',
        '{"version": "0.2.0" /* no comma */ // here\n}',
        '{"configurations": []}',
        '{"configurations": [ /* none */ ]}',
        '{"configurations": [\n    // none yet\n]}',
        '{"configurations": [{"name": "a"}]}',
        '{"configurations": [{"name": "a"},]}',
        '{"configurations": [{"name": "a"} // last\n]}',
        '{"configurations": [{"name": "a"} /* before */ , /* after\n it */ ]}',
        '{\r\n\t"configurations": [\r\n\t\t{"name": "a"}, // tabs\r\n\t],\r\n\t"compounds": []\r\n}\r\n',
        '\ufeff{"configurations": [{"name": "a"}], "inputs": [{"id": "//"}]}',
        '{"configurations": [1, null, {"name": ["Estiva: iris"]}]}',
        '{"configurations": [], "configurations": [{"name": "the last one counts"}]}',
        '{"configurations": [{"name": "Estiva: iris"}]}',
        '{"configurations": [{"name": "Estiva: iris", "connect": {"port": 1} /* old */, // x\n }] }',
    ],
)
def test_awkward_files(text: str) -> None:
    check(text)


def check(text: str) -> None:
    """What was there is there, in the same order; the entry is there once; doing it again changes nothing."""
    before = read(text) if "{" in text else {"version": "0.2.0"}
    others = [item for item in before.get("configurations", []) if not named(item)]

    result = updated(text, ENTRY)

    after = read(result)
    assert [item for item in after["configurations"] if not named(item)] == others
    assert [item for item in after["configurations"] if named(item)] == [ENTRY]
    assert {**before, "configurations": 0} == {**after, "configurations": 0}
    assert comments(result) == comments(text)
    assert updated(result, ENTRY) == result


def named(item: Any) -> bool:
    return isinstance(item, dict) and item.get("name") == ENTRY["name"]


def comments(text: str) -> list[str]:
    found = re.findall(r'"(?:[^"\\]|\\.)*"|(//[^\r\n]*|/\*.*?\*/)', text, re.DOTALL)
    return [one for one in found if one]


SPACES = ["", " ", "\n", "\t", ' // line, ] } "\n', " /* block } , */ ", "\r\n", "/**/\n        "]
scalar = st.one_of(st.none(), st.booleans(), st.integers(), st.text(alphabet='ab"\\/*, ]}\u00e9', max_size=8))
entries = st.dictionaries(st.sampled_from(["type", "request", "args", "env"]), scalar, max_size=3)
files = st.fixed_dictionaries(
    {"configurations": st.lists(entries, max_size=3)},
    optional={"version": scalar, "inputs": st.lists(scalar, max_size=3)},
)


def laid_out(value: Any, random: Random) -> str:
    """The value as somebody may write it down."""
    if isinstance(value, dict):
        opening, closing = "{}"
        parts = [
            f"{json.dumps(name)}{random.choice(SPACES)}:{random.choice(SPACES)}{laid_out(part, random)}"
            for name, part in value.items()
        ]
    elif isinstance(value, list):
        opening, closing = "[]"
        parts = [laid_out(part, random) for part in value]
    else:
        return json.dumps(value, ensure_ascii=False)
    inside = ",".join(f"{random.choice(SPACES)}{part}{random.choice(SPACES)}" for part in parts)
    trailing = random.choice(["", ","]) if parts else ""
    return f"{opening}{inside}{trailing}{random.choice(SPACES)}{closing}"


@given(files, st.randoms(use_true_random=False))
def test_whatever_layout_it_has(value: dict[str, Any], random: Random) -> None:
    check(laid_out(value, random))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "it holds no object"),
        ('{"configurations": {}}', 'its "configurations" are no list'),
        ('{\n"configurations": [}', "line 2 has something that does not belong there: }"),
        ('{"a" 1}', "does not belong there: 1}"),
        ('{"a": 1 "b": 2}', 'does not belong there: "b": 2}'),
        ('{"a": oops}', "does not belong there: oops}"),
        ('{"configurations": [', "its end"),
        ('{"a": "\n"}', 'line 1 has something that does not belong there: "'),
        ("{} {}", "does not belong there: {}"),
        ("{/* open", "does not belong there: /* open"),
    ],
)
def test_what_is_no_launch_json(text: str, why: str) -> None:
    with pytest.raises(LaunchJsonError, match=re.escape(why)):
        updated(text, ENTRY)


@given(st.text(alphabet='{}[],:"/*\\ \nab1', max_size=40))
def test_any_text_is_a_file_or_refused(text: str) -> None:
    try:
        result = updated(text, ENTRY)
    except LaunchJsonError:
        return
    assert ENTRY in read(result)["configurations"]
