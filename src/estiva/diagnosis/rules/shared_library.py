"""A compiled package needs a library of the system that this machine does not have."""

from __future__ import annotations

import re

from estiva.diagnosis import packages, tracebacks, wording
from estiva.records import Evidence, Finding

_MISSING = re.compile(r"(?P<library>lib[\w+.-]+\.so[.\d]*): cannot open shared object file")
_TOO_OLD = re.compile(r"version `(?P<version>(?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)' not found")
_DEBIAN = {
    "libGL": "libgl1",
    "libgthread-2": "libglib2.0-0",
    "libglib-2": "libglib2.0-0",
    "libgomp": "libgomp1",
    "libsndfile": "libsndfile1",
    "libodbc": "unixodbc",
    "libpq": "libpq5",
    "libmysqlclient": "default-libmysqlclient-dev",
    "libSM": "libsm6",
    "libXrender": "libxrender1",
    "libXext": "libxext6",
    "libgeos_c": "libgeos-c1v5",
    "libtesseract": "libtesseract5",
}
_GPU = ("libcuda", "libcudart", "libcudnn", "libcublas", "libnvinfer", "libnccl")


def check(evidence: Evidence) -> Finding | None:
    for raised in reversed(tracebacks.chain(evidence)):
        missing, old = _MISSING.search(raised.message), _TOO_OLD.search(raised.message)
        if missing or old:
            what = missing["library"] if missing else old["version"] if old else ""
            package = packages.name_of(raised.package)
            return Finding(
                code="LibraryMissing",
                title=wording.title(raised, f"the system's library {what} is missing"),
                what=f"{package or 'A package'} is compiled, and needs {what}, which is not on this machine.",
                why="pip installs Python packages, not the libraries of the system that they use.",
                evidence=wording.quote(raised),
                todo=_todo(what, package, missing is not None),
            )
    return None


def _todo(what: str, package: str, missing: bool) -> tuple[str, ...]:
    if not missing:
        return (f"Take an older version of {package or 'the package'}, or a newer system or base image.",)
    if what.startswith(_GPU):
        return (
            "Deploy on a machine with the NVIDIA driver and CUDA.",
            f"Or take the build of {package or 'the package'} for CPUs.",
        )
    known = _DEBIAN.get(what.split(".so")[0].rstrip(".0123456789-"))
    known = known or next((name for start, name in _DEBIAN.items() if what.startswith(start)), None)
    install = f"apt-get install {known}" if known else f"the system's package that has {what}"
    headless = "Or take opencv-python-headless, which needs no display." if what.startswith("libGL") else ""
    return tuple(filter(None, (f"Install it on the machine, or in the base image: {install}", headless)))
