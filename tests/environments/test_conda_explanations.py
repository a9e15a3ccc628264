from __future__ import annotations

import pytest

from estiva.environments.conda_explanations import explain_problem
from estiva.records import CondaPackage

URL = "https://me:secret@conda.example.org/team/noarch/thing-1.0-0.conda"


@pytest.mark.parametrize(
    ("problem", "text", "code", "said"),
    [
        ("SolverError", "Cannot solve the request because of: No candidates were found for x *.\n",
         "PackageNotFound", "no package x for this platform"),
        ("SolverError", "Cannot solve the request because of: No candidates were found for x >=2.",
         "PackageNotFound", "no package x in the version >=2"),
        ("SolverError", "a 1 would require\n└─ __cuda >=12, for which no candidates were found.",
         "VirtualPackageMissing", "set CONDA_OVERRIDE_CUDA"),
        ("SolverError", "a 1 would require\n└─ __archspec 1, for which no candidates were found.",
         "VirtualPackageMissing", "needs archspec 1 of the machine"),
        ("SolverError", "a * cannot be installed", "VersionConflict", "contradict"),
        ("GatewayError", "HTTP status client error (403 Forbidden) for url (https://example.org/c)",
         "ChannelRefused", "https://example.org/c refuses access"),
        ("GatewayError", "could not find subdir 'noarch' in channel 'https://example.org/c/'",
         "ChannelNotFound", "no conda channel https://example.org/c/"),
        ("GatewayError", "error for url (https://example.org/c)\nCaused by: timed out",
         "ChannelUnreachable", "cannot be reached: timed out"),
        ("InstallerError", "failed to fetch a.conda\nCaused by: hash mismatch", "HashMismatch", "a.conda"),
        ("InstallerError", "failed to link a.conda\nCaused by: x", "CondaPackageBroken", "a.conda cannot"),
        ("InstallerError", "failed: No space left on device", "DiskFull", "disk is full"),
        ("InvalidMatchSpecError", "unable to parse: >=>1", "SpecificationInvalid", ">=>1"),
        ("Crashed", "thread panicked\nat x", "EnvironmentFailed", "thread panicked | at x"),
    ],
)  # fmt: skip
def test_each_problem_has_a_code_and_a_sentence(problem: str, text: str, code: str, said: str) -> None:
    error = explain_problem(problem, text)
    assert error.code == code
    assert said in error.message
    assert text in error.detail


def test_the_channel_is_named_without_credentials() -> None:
    package = CondaPackage(name="thing", version="1.0", build="0", subdir="noarch", url=URL, sha256="0" * 64)
    for problem, text in (("PostLinkFailed", "thing"), ("InstallerError", "fetch thing-1.0-0.conda")):
        message = explain_problem(problem, text, [package]).message
        assert message.endswith("The channel is https://conda.example.org/team/noarch.")
