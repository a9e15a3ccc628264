"""Findings as the plain text that users see, on the terminal and in exceptions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from estiva.records import Finding

_WIDTH = 100


def render(findings: Iterable[Finding]) -> str:
    """The findings as plain text, one paragraph each."""
    return "\n\n".join(_paragraph(finding) for finding in findings)


def _paragraph(finding: Finding) -> str:
    lines = [finding.title, *_wrapped("what", finding.what), *_wrapped("why", finding.why)]
    for number, quoted in enumerate(finding.evidence):
        lines.append(f"  {'evidence' if number == 0 else '':9} | {quoted}".rstrip())
    for number, step in enumerate(finding.todo):
        lines += _wrapped("to do" if number == 0 else "", step)
    return "\n".join(lines)


def _wrapped(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=f"  {label:9} ",
        subsequent_indent=" " * 12,
        break_long_words=False,
        break_on_hyphens=False,
    )
