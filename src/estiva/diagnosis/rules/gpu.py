"""A GPU is asked for where there is none."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding

_SAID = re.compile(
    r"torch\.cuda\.is_available\(\) is False|not compiled with CUDA enabled|Found no NVIDIA driver|"
    r"no CUDA-capable device|CUDA driver version is insufficient|No CUDA GPUs are available|"
    r"CUDA error: invalid device ordinal",
    re.IGNORECASE,
)


def check(evidence: Evidence) -> Finding | None:
    for raised in reversed(tracebacks.chain(evidence)):
        if _SAID.search(raised.message):
            return Finding(
                code="GpuMissing",
                title=wording.title(raised, "the script asks for a GPU, and there is none"),
                what=wording.exception(raised),
                why="The model was saved on a GPU, or the script moves it to one.",
                evidence=wording.quote(raised),
                todo=(
                    (
                        'Load it on what is there: torch.load(path, map_location="cuda" if '
                        'torch.cuda.is_available() else "cpu"), and move tensors the same way.'
                    ),
                    "Or deploy on a machine with a GPU and its driver.",
                ),
            )
    return None
