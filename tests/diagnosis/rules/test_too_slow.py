from __future__ import annotations

from estiva.diagnosis import diagnose
from estiva.findings import render
from estiva.records import Evidence, StepName


def test_an_init_that_does_not_end() -> None:
    seen = Evidence(
        step=StepName.INIT,
        code="InitTimeout",
        error="init() did not finish within 600 seconds.",
        log_tail=(
            "Traceback (most recent call last):",
            '  File "/r/app/score.py", line 3, in init',
            "OSError: lived through",
            "downloading the weights",
        ),
    )
    assert (
        render(diagnose(seen))
        == """\
init() took too long
  what      init() did not finish within 600 seconds.
  why       The evidence is what the log says last.
  evidence  | Traceback (most recent call last):
            |   File "/r/app/score.py", line 3, in init
            | OSError: lived through
            | downloading the weights
  to do     See in the log how far it came; a print() between the steps of init() shows more.
            If it downloads a file, put that into the model; give every connection a timeout."""
    )


def test_a_script_that_says_nothing() -> None:
    (found,) = diagnose(Evidence(step=StepName.INIT, code="InitTimeout", error="init() did not finish."))
    assert found.why == "The script printed nothing."
