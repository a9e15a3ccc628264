from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from estiva_server.script import MODULE_NAME, Script, StartError, load_script


def load(folder: Path, text: str) -> Script:
    path = folder / "score.py"
    path.write_text(textwrap.dedent(text))
    return load_script(path, "score.py")


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ("def run(data): return data", "body"),
        ("def run(raw_data): return raw_data", "body"),
        ("def run(data, /): return data", "body"),
        ("def run(*, data): return data", "body"),
        ("def run(data, request_headers): return [data, request_headers]", ["body", {"Accept": "all"}]),
        ("def run(request_headers, data): return [data, request_headers]", ["body", {"Accept": "all"}]),
        ("run = lambda data: data", "body"),
        ("def run(data, scale=1): return [data, scale]", ["body", 1]),
        ("async def run(data): return data", "body"),
        ("class Model:\n    def __call__(self, data): return data\nrun = Model()", "body"),
        ("import functools\ndef f(model, data): return data\nrun = functools.partial(f, 'model')", "body"),
    ],
)
def test_run_takes_data_and_perhaps_headers(tmp_path: Path, run: str, expected: object) -> None:
    script = load(tmp_path, f"def init(): pass\n{run}")
    assert script.run("body", {"Accept": "all"}) == expected
    assert script.wants_headers is ("request_headers" in run)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def init(): pass\ndef run(): pass", r"defines run\(\), but run must take exactly one parameter"),
        ("def init(): pass\ndef run(a, b): pass", r"defines run\(a, b\), but"),
        ("def init(): pass\ndef run(*args): pass", r"defines run\(\*args\), but"),
        ("def init(): pass\ndef run(**kwargs): pass", r"defines run\(\*\*kwargs\), but"),
        ("def init(): pass\ndef run(request_headers): pass", r"defines run\(request_headers\), but"),
        ("def init(): pass", r"score\.py defines no function run\(data\)\. A score script needs"),
        ("def run(data): pass", r"score\.py defines no function init\(\)"),
        ("init = 1\ndef run(data): pass", r"init in score\.py is a int, but must be a function"),
        ("def init(:", r"score\.py has a syntax error: .*line 1"),
        ("x = '\x00'", r"score\.py "),
        ("raise RuntimeError('no')", r"could not be imported: it raised RuntimeError: no"),
        ("import sys; sys.exit()", r"it raised SystemExit"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(StartError, match=said):
        load(tmp_path, text)


def test_a_missing_script(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=rf"There is no entry script score\.py in {tmp_path}"):
        load_script(tmp_path / "score.py", "score.py")


def test_a_script_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "score.R").write_text("")
    with pytest.raises(StartError, match=r"score\.R is not a Python file"):
        load_script(tmp_path / "score.R", "score.R")


def test_init_is_called_and_what_it_raises_is_the_cause(tmp_path: Path) -> None:
    script = load(tmp_path, "def init(): raise KeyError('model')\ndef run(d): pass")
    with pytest.raises(StartError, match=r"init\(\) in score\.py raised KeyError: 'model'") as caught:
        script.init()
    assert isinstance(caught.value.__cause__, KeyError)


def test_its_module_is_the_one_that_models_were_pickled_with(tmp_path: Path) -> None:
    load(tmp_path, "class Model: pass\ndef init(): pass\ndef run(data): return Model")
    assert sys.modules[MODULE_NAME].__file__ == str(tmp_path / "score.py")
    assert sys.modules["service_driver"].Model.__module__ == "service_driver"


def test_an_edit_of_equal_length_within_a_second_is_seen(tmp_path: Path) -> None:
    for number in (1, 2):
        script = load(tmp_path, f"def init(): pass\ndef run(data): return {number}")
        assert script.run("", {}) == number
