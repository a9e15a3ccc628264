"""What is wrong with a service, as text, in notebooks, and for programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from html import escape
from os import PathLike
from pathlib import Path

from estiva import messages
from estiva.findings import render
from estiva.records import Entrance, Evidence, Finding, Generation
from estiva.sdk.connection import connect
from estiva.sdk.output import text_width

_WELL = "Nothing is known to be wrong with {service}."


class Diagnosis:
    """The findings about one service, the most certain first. False if there are none."""

    def __init__(self, found: messages.Diagnosis) -> None:
        self.record = found
        """As the control server answered."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        return self.record.findings

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return self.record.evidence

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __str__(self) -> str:
        if not self.findings:
            return _WELL.format(service=self.record.service)
        return render(self.findings, text_width())

    def __repr__(self) -> str:
        codes = [finding.code for finding in self.findings]
        return f"Diagnosis(service={self.record.service!r}, findings={codes})"

    def _repr_html_(self) -> str:
        if not self.findings:
            return f"<p>{escape(_WELL.format(service=self.record.service))}</p>"
        return "".join(_section(finding) for finding in self.findings)


def enter(entrance: Entrance, command: Sequence[str]) -> int:
    if entrance.program:
        return subprocess.run([*entrance.program, *(command or ("sh",))], check=False).returncode
    shell = os.environ.get("SHELL", "/bin/sh")
    variables = {**entrance.variables, "TERM": os.environ.get("TERM", "dumb")}
    # A shell's own start files would put the user's Python before the service's.
    plain = {"bash": ("--norc",), "zsh": ("-f",)}.get(Path(shell).name, ())
    words = [*(command or (shell, *plain, "-i"))]
    found = shutil.which(words[0], path=variables.get("PATH")) or words[0]
    done = subprocess.run([found, *words[1:]], cwd=entrance.folder, env=variables, check=False)
    return done.returncode


class Diagnosable:
    """What can be asked what is wrong with it."""

    name: str
    _view: messages.ServiceView

    @property
    def _path(self) -> str:
        """At the control server."""
        raise NotImplementedError

    @property
    def scoring_uri(self) -> str | None:
        raise NotImplementedError

    def diagnose(self) -> Diagnosis:
        """What is wrong now, and what to do: printed as text, shown as HTML in a notebook.

        Why the newest generation failed, if it did; and of the one that serves, what its log and the
        gateway's say of exceptions, deaths, deadlines and requests that were turned away.
        """
        found = connect().request("GET", f"{self._path}/diagnosis")
        return Diagnosis(messages.Diagnosis.model_validate(found))

    def shell(self, command: Sequence[str] = ()) -> int:
        """Runs a command, or a shell, with the service's Python in its app root; returns its exit status.

        Also of a deployment that failed, if its environment could be built. The service's secrets are not
        among the variables.
        """
        entrance = Entrance.model_validate(connect().request("POST", f"{self._path}/entrance"))
        return enter(entrance, command)

    def save_bundle(self, path: str | PathLike[str]) -> Path:
        """Writes what a bug report needs into a ZIP archive: versions, steps, evidence, logs, configuration.

        Secrets are replaced by stars. Raises FileExistsError if there is such a file.
        """
        content = connect().content(f"{self._path}/bundle")
        with Path(path).open("xb") as file:
            file.write(content)
        return Path(path)

    def _held(self, generation: Generation) -> str:
        """What to do with a generation that stopped after a step, as it was to."""
        return (
            f"Stopped after the step {generation.steps[-1].name.value}, as asked.\n"
            f"Look around:  estiva shell {self.name}\n"
            f"Go on:        estiva service reload {self.name}"
        )

    def _failure(self, generation: Generation) -> str:
        """Why it failed, and what serves all the same."""
        text = render(generation.findings, text_width())
        serving = self._view.service.serving
        if serving is None:
            return text
        return (
            f"{text}\n\nThe {generation.reason} was not taken over: generation {serving} of {self.name!r} "
            f"goes on serving at {self.scoring_uri}."
        )


def failure_code(generation: Generation) -> str:
    return generation.findings[0].code if generation.findings else "DeploymentFailed"


def _section(finding: Finding) -> str:
    """One finding, its evidence folded away unless it is the reader's own code."""
    rows = [("what", finding.what), ("why", finding.why)]
    text = "".join(f"<p><b>{name}</b> {escape(value)}</p>" for name, value in rows if value)
    steps = "".join(f"<li>{escape(step)}</li>" for step in finding.todo)
    todo = f"<p><b>to do</b></p><ul>{steps}</ul>" if steps else ""
    quoted = escape("\n".join(finding.evidence))
    shown = f"<details open><summary>evidence</summary><pre>{quoted}</pre></details>" if quoted else ""
    title = f"<h4>{escape(finding.title)} <code>{escape(finding.code)}</code></h4>"
    return f"<section>{title}{text}{shown}{todo}</section>"
