from __future__ import annotations

from estiva.diagnosis import diagnose
from estiva.findings import render
from estiva.records import Evidence, StepName


def test_the_error_of_the_environment_is_passed_on_with_what_uv_said() -> None:
    seen = Evidence(
        step=StepName.ENVIRONMENT,
        code="VersionConflict",
        error="The requirements exclude each other: a needs b<2; you require b>=2. Change one.",
        detail="  x No solution found\n\n  because a depends on b<2",
    )
    assert (
        render(diagnose(seen))
        == """\
The environment's packages exclude each other
  what      The requirements exclude each other: a needs b<2; you require b>=2. Change one.
  evidence  |   x No solution found
            |   because a depends on b<2
  to do     Change that and deploy again; `estiva env build` tries the environment alone."""
    )


def test_a_code_that_is_new_is_passed_on_too() -> None:
    (found,) = diagnose(Evidence(step=StepName.ENVIRONMENT, code="Quota", error="No more for you."))
    assert (found.code, found.title, found.what) == (
        "Quota",
        "The environment could not be built",
        "No more for you.",
    )
