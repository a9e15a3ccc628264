from __future__ import annotations

import io

import pytest

from estiva.messages import Progress
from estiva.records import Generation, Step, StepName
from estiva.sdk import output
from estiva.sdk.output import ByteProgress, Line, StepPrinter, size
from tests.registry.samples import generation


def screen(written: str) -> list[str]:
    """What stands on the lines of a terminal after all of it was written there."""
    return [line.rpartition("\r")[2].removeprefix("\x1b[K") for line in written.split("\n")]


class Terminal(io.StringIO):
    """In the place of standard output."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        monkeypatch.setattr("sys.stdout", self)
        monkeypatch.setenv("COLUMNS", "80")

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (1_550_000, "1.6 MB"),
        (999_999, "1.0 MB"),
        (2_000_000_000, "2.0 GB"),
        (5e15, "5000.0 TB"),
    ],
)
def test_sizes(count: float, shown: str) -> None:
    assert size(count) == shown


def test_a_moving_line_is_one_line_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch)
    line = Line()
    line.show("10 %")
    line.show("x" * 300)
    line.show("100 %")
    line.end("done")
    assert screen(terminal.getvalue()) == ["done", ""]


def test_a_moving_line_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch)
    Line().show("first\nsecond" + "x" * 300)
    (shown,) = screen(terminal.getvalue())
    assert shown.startswith("first second")
    assert len(shown) == 79


def test_without_a_terminal_only_the_lasting_line_is_written() -> None:
    stream = io.StringIO()
    line = Line(stream)
    line.show("10 %")
    line.clear()
    line.end("done")
    assert stream.getvalue() == "done\n"


def test_bytes_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch)
    with ByteProgress("Registering iris") as progress:
        progress.show(Progress(kind="bytes", done=0, total=0))
        progress.show(Progress(kind="bytes", done=500, total=2000))
        assert screen(terminal.getvalue()) == ["Registering iris:  25% of 2.0 KB"]
    assert screen(terminal.getvalue()) == [""]


def test_bytes_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with ByteProgress("Registering iris") as progress:
        progress.show(Progress(kind="bytes", done=500, total=2000))
    assert capsys.readouterr().out == ""


def at(*steps: Step, notices: tuple[str, ...] = ()) -> Generation:
    return generation().model_copy(update={"steps": steps, "notices": notices})


VALIDATED = Step(name=StepName.VALIDATE, state="succeeded", seconds=0.004)
BUILDING = Step(name=StepName.ENVIRONMENT, detail="Resolved 12 packages")
BUILT = Step(name=StepName.ENVIRONMENT, state="succeeded", seconds=12.3456)
FAILED = Step(name=StepName.INIT, state="failed", seconds=1.5)

COURSE = [
    at(),
    at(VALIDATED),
    at(VALIDATED, BUILDING),
    at(VALIDATED, BUILDING, notices=("numpy comes from the index.",)),
    at(VALIDATED, BUILT, notices=("numpy comes from the index.",)),
    at(VALIDATED, BUILT, notices=("numpy comes from the index.",)),
    at(VALIDATED, BUILT, FAILED, notices=("numpy comes from the index.",)),
]

PRINTED = """\
  validate       0.00 s
  note: numpy comes from the index.
  environment   12.35 s
  init           1.50 s  FAILED
"""


def test_each_step_is_printed_once_as_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    printer = StepPrinter()
    for seen in COURSE:
        printer.show(seen)
    assert capsys.readouterr().out == PRINTED


def test_on_a_terminal_the_step_under_way_is_shown_too(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch)
    printer = StepPrinter()
    for seen in COURSE[:3]:
        printer.show(seen)
    assert screen(terminal.getvalue()) == [
        "  validate       0.00 s",
        "  environment  ... Resolved 12 packages",
    ]
    for seen in COURSE[3:]:
        printer.show(seen)
    assert screen(terminal.getvalue()) == [*PRINTED.splitlines(), ""]


def test_steps_that_run_again_after_a_restart_are_not_printed_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printer = StepPrinter()
    for seen in (*COURSE[:5], at(Step(name=StepName.VALIDATE)), at(VALIDATED), COURSE[-1]):
        printer.show(seen)
    assert capsys.readouterr().out == PRINTED


def test_a_step_without_a_duration_prints_none() -> None:
    assert output.finished(Step(name=StepName.ROUTE, state="succeeded")) == "  route          0.00 s"
