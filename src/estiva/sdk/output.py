"""What the SDK prints while something takes its time: a moving line on a terminal, else plain lines."""

from __future__ import annotations

import shutil
import sys
import textwrap
from types import TracebackType
from typing import TextIO

from estiva.findings import WIDTH
from estiva.messages import Progress
from estiva.records import Generation, Step

_UNITS = ("B", "KB", "MB", "GB", "TB")
_UNIT = 1000
_NEXT_UNIT = 999.95  # from here on a number with one decimal would read 1000.0
_NAME_WIDTH = 12


def size(count: float) -> str:
    """ "2.0 GB": bytes in decimal units."""
    for unit in _UNITS:
        if count < _NEXT_UNIT or unit == _UNITS[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _UNIT
    raise AssertionError("unreachable")


def text_width() -> int:
    """Columns for text that is read: those of the terminal, but no more than are comfortable."""
    return min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)


class Line:
    """One line that is written over and over; silent where the output is no terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self.moving = self._stream.isatty()

    def show(self, text: str) -> None:
        if self.moving:
            width = shutil.get_terminal_size().columns - 1  # a line that wraps cannot be written over
            self._stream.write(f"\r\x1b[K{' '.join(text.splitlines())[:width]}")
            self._stream.flush()

    def end(self, text: str) -> None:
        """Replaces the moving line by a lasting one."""
        self._stream.write(f"\r\x1b[K{text}\n" if self.moving else f"{text}\n")
        self._stream.flush()

    def clear(self) -> None:
        self.show("")


class ByteProgress:
    """How much of a long transfer is done, on a terminal."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._line = Line()

    def __enter__(self) -> ByteProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.clear()

    def show(self, progress: Progress) -> None:
        if progress.total:
            share = progress.done / progress.total
            self._line.show(f"{self._title}: {share:4.0%} of {size(progress.total)}")


class StepPrinter:
    """Prints each step of a generation once, with its duration, as it ends."""

    def __init__(self) -> None:
        self._line = Line()
        self._generation = 0
        self._printed = 0
        self._notices = 0

    def show(self, generation: Generation) -> None:
        if generation.number != self._generation:  # another caller's change has taken its place
            self._generation, self._printed, self._notices = generation.number, 0, 0
        # A reload changes nothing that there was to note.
        for notice in generation.notices[self._notices :] if generation.reason != "reload" else ():
            self._line.end(self._note(notice))
        self._notices = max(self._notices, len(generation.notices))
        for step in generation.steps[self._printed :]:
            if step.state == "running":
                self._line.show(f"  {step.name.value:<{_NAME_WIDTH}} ... {step.detail}")
                return
            self._line.end(finished(step))
            self._printed += 1

    def _note(self, notice: str) -> str:
        text = f"  note: {notice}"
        return textwrap.fill(text, text_width(), subsequent_indent=" " * 8) if self._line.moving else text


def finished(step: Step) -> str:
    mark = "" if step.state == "succeeded" else "  FAILED"
    return f"  {step.name.value:<{_NAME_WIDTH}} {step.seconds or 0:6.2f} s{mark}"
