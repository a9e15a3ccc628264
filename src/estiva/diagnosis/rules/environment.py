"""The environment could not be resolved or built. What to do is in the error; this names the kind."""

from __future__ import annotations

from estiva.diagnosis import wording
from estiva.records import Evidence, Finding, StepName

_TITLES = {
    "PackageNotFound": "The environment names a package that does not exist",
    "CondaPackageNotOnPyPI": "The environment names conda packages that cannot be had here",
    "VersionConflict": "The environment's packages exclude each other",
    "NoWheel": "A package is not made for this Python or machine",
    "BuildFailed": "A package could not be built",
    "HashMismatch": "A package is not what was locked",
    "PythonNotFound": "The environment's Python is not on this machine",
    "PythonTooOld": "The environment's Python is too old",
    "IndexUnreachable": "The package index cannot be reached",
    "CertificateFailed": "The package index's certificate is not trusted",
    "DiskFull": "The disk is full",
    "PythonNotInBase": "The base image does not have the environment's Python",
    "ImageNotFound": "The base image does not exist",
    "RegistryRefused": "The registry refuses the credentials",
    "PlatformMismatch": "The base image is made for another kind of processor",
    "NoEngine": "No container engine answers",
    "EngineLost": "The container engine ended",
    "EngineTimeout": "The container engine does not answer in time",
    "BuildTimeout": "Building the environment took too long",
}

_ANY = "Change that and deploy again; `estiva env build` tries the environment alone."
_TODO = {
    "DiskFull": "Free some space, or point ESTIVA_HOME and UV_CACHE_DIR at a larger disk, and deploy again."
}


def check(evidence: Evidence) -> Finding | None:
    if evidence.step not in (StepName.ENVIRONMENT, StepName.IMAGE):
        return None
    built = "environment" if evidence.step is StepName.ENVIRONMENT else "image"
    return Finding(
        code=evidence.code or "EnvironmentFailed",
        title=_TITLES.get(evidence.code, f"The {built} could not be built"),
        what=evidence.error,
        evidence=wording.last([line for line in evidence.detail.splitlines() if line.strip()]),
        todo=(_TODO.get(evidence.code, _ANY),),
    )
