from __future__ import annotations

from estiva.diagnosis import diagnose
from estiva.findings import render
from estiva.records import Evidence, StepName


def test_a_damaged_file() -> None:
    seen = Evidence(
        step=StepName.START,
        code="BlobDamaged",
        error="Of model iris:1: The stored file 75fd is damaged. Register the same file again to repair it.",
        detail="its SHA-256 is now a3ea",
    )
    assert (
        render(diagnose(seen))
        == """\
A registered file is damaged
  what      Of model iris:1: The stored file 75fd is damaged. Register the same file again to repair
            it.
  evidence  | its SHA-256 is now a3ea
  to do     Do that, then deploy again."""
    )


def test_a_full_disk_while_an_environment_is_built_is_told_as_that() -> None:
    seen = Evidence(step=StepName.ENVIRONMENT, code="DiskFull", error="The disk is full: no room.")
    assert diagnose(seen)[0].what == "The disk is full: no room."
