from __future__ import annotations

from estiva.diagnosis import diagnose
from estiva.findings import render
from estiva.records import Evidence, StepName


def test_control_found_it_before_anything_was_started() -> None:
    seen = Evidence(
        step=StepName.VALIDATE,
        code="SyntaxError",
        error="score.py, line 5, column 14: expected ':'",
        detail="def run(data)\n             ^",
    )
    assert (
        render(diagnose(seen))
        == """\
Syntax error in score.py, line 5, column 14
  what      Python cannot read the file: expected ':'.
  evidence  | def run(data)
            |              ^
  to do     Correct the line (the mistake may be just before the mark), then deploy again."""
    )
