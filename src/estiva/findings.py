"""Findings as the plain text that users see, on the terminal and in exceptions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from estiva.records import Finding

WIDTH = 100


def render(findings: Iterable[Finding], width: int = WIDTH) -> str:
    """The findings as plain text of at most `width` columns, one paragraph each; quotations stay whole."""
    return "\n\n".join(_paragraph(finding, width) for finding in findings)


def _paragraph(finding: Finding, width: int) -> str:
    lines = [finding.title, *_wrapped("what", finding.what, width), *_wrapped("why", finding.why, width)]
    for number, quoted in enumerate(finding.evidence):
        lines.append(f"  {'evidence' if number == 0 else '':9} | {quoted}".rstrip())
    for number, step in enumerate(finding.todo):
        lines += _wrapped("to do" if number == 0 else "", step, width)
    return "\n".join(lines)


def _wrapped(label: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=f"  {label:9} ",
        subsequent_indent=" " * 12,
        break_long_words=False,
        break_on_hyphens=False,
    )
