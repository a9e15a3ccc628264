"""The cases: small projects as people really write them, each a file.

"=== about" says what happened to whom, "=== file NAME" is a file of the project, and the last section is what
is expected: "=== finding CODE", with phrases of the text, one a line, or "=== healthy". Between them:

=== entry PATH           the entry script, if it is not score.py
=== ship source          deploy with the project's folder as source directory
=== model NAME           a program that writes the model's files into its folder; they are registered
=== paths A B            files of the project that are deployed as models without being registered
=== environment          a conda YAML; {wheels} is a folder of small wheels. None: the packages that run now
=== variables            NAME=VALUE lines
=== settings A=1 B=2     parameters of deploy_configuration
=== request STATUS A=1   a request's body, and the status that it gets; A: see `running`
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent / "projects"


@dataclass(frozen=True)
class Section:
    title: str
    """The first word of the heading."""
    rest: str
    text: str


@dataclass(frozen=True)
class Case:
    path: Path

    @property
    def name(self) -> str:
        return f"{self.part}/{self.path.stem}"

    @property
    def part(self) -> str:
        """What is broken: the folder of the case."""
        return self.path.parent.name

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        _, *parts = re.split(r"^=== (\S+)(?: (.*))?\n", self.path.read_text(), flags=re.MULTILINE)
        return tuple(
            Section(title, rest or "", text)
            for title, rest, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        )

    def all(self, title: str) -> list[Section]:
        return [section for section in self.sections if section.title == title]

    def one(self, title: str) -> Section | None:
        return next(iter(self.all(title)), None)

    @property
    def code(self) -> str:
        """Of the finding that is expected first; empty for a healthy one."""
        finding = self.one("finding")
        return finding.rest if finding else ""

    @property
    def phrases(self) -> list[str]:
        finding = self.one("finding")
        return finding.text.splitlines() if finding else []

    @property
    def about(self) -> str:
        section = self.one("about")
        return " ".join(section.text.split()) if section else ""


def cases() -> list[Case]:
    return [Case(path) for path in sorted(FOLDER.glob("*/*.txt"))]
