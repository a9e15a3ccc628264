"""What rattler could not do -> an `EnvironmentException` that says what happened, why, and what to do. Pure.

Codes: HashMismatch, PostLinkFailed, PackageNotFound, VersionConflict, VirtualPackageMissing, ChannelRefused,
ChannelNotFound, ChannelUnreachable, CondaPackageBroken, SpecificationInvalid, DiskFull, and EnvironmentFailed
for what none of these explains.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from estiva.environments.explanations import disk_full
from estiva.errors import EnvironmentException
from estiva.records import CondaPackage

_OVERRIDES = {
    "__cuda": "CONDA_OVERRIDE_CUDA",
    "__glibc": "CONDA_OVERRIDE_GLIBC",
    "__osx": "CONDA_OVERRIDE_OSX",
}
_LONGEST = 1500
_CAUSE = "Caused by: "


class _Explained(NamedTuple):
    code: str
    message: str


def explain_problem(problem: str, text: str, packages: Sequence[CondaPackage] = ()) -> EnvironmentException:
    """`problem`: the kind that rattler_program.py says; `packages`: those that were to be installed."""
    if "No space left on device" in text:
        return disk_full("the folder of environments, or of conda's cache,", detail=text)
    explained = _RULES.get(problem, _unexplained)(text)
    message = explained.message + _origin(text, packages)
    return EnvironmentException(message, code=explained.code, detail=f"{problem}: {text}")


def _origin(text: str, packages: Sequence[CondaPackage]) -> str:
    """Which channel has the package that the text names, if it names one of them."""
    for package in packages:
        channel, file = package.url.rsplit("/", 1)
        if text == package.name or file in text:
            parts = urlsplit(channel)
            return f" The channel is {parts.scheme}://{parts.netloc.split('@')[-1]}{parts.path}."
    return ""


def _unsolvable(text: str) -> _Explained:
    reason = text.removeprefix("Cannot solve the request because of: ").strip()[:_LONGEST]
    virtual = re.search(r"(__\w+)\s?([^,\n]*), for which no candidates", reason)
    if virtual:
        return _not_of_this_machine(virtual[1], virtual[2], reason)
    missing = re.fullmatch(r"No candidates were found for (\S+)\s?(.*?)\.?", reason)
    if missing:
        version = "" if missing[2] in ("", "*") else f" in the version {missing[2]}"
        return _Explained(
            "PackageNotFound",
            f"The conda channels have no package {missing[1]}{version} for this platform. Check the name and "
            "the version, or add the channel that has it.",
        )
    return _Explained(
        "VersionConflict",
        f"The conda packages contradict each other. Ask for versions that go together. {reason}",
    )


def _not_of_this_machine(name: str, version: str, reason: str) -> _Explained:
    variable = _OVERRIDES.get(name)
    override = f" If it is there where the service will run, set {variable}." if variable else ""
    return _Explained(
        "VirtualPackageMissing",
        f"A conda package needs {name.lstrip('_')} {version} of the machine, which this one does not have."
        f"{override} {reason}",
    )


def _channel(text: str) -> _Explained:
    url = re.search(r"(?:url \(|channel '|`)((?:https?|file)[^)'`\s]+|/[^`']+)", text)
    place = url[1] if url else "of the environment"
    if re.search(r"\b(401|403|407)\b", text):
        return _Explained(
            "ChannelRefused",
            f"The conda channel {place} refuses access. Check the user name and password, or the token, in "
            "its address.",
        )
    if "could not find subdir" in text or re.search(r"\b404\b", text):
        return _Explained(
            "ChannelNotFound", f"There is no conda channel {place}. Check the channels of the environment."
        )
    return _Explained(
        "ChannelUnreachable",
        f"The conda channel {place} cannot be reached: {_last_cause(text)}. Check the network and the proxy "
        "(HTTPS_PROXY), or name a channel that can be reached.",
    )


def _installation(text: str) -> _Explained:
    file = re.search(r"failed to (?:fetch|link) (\S+)", text)
    name = file[1] if file else "A conda package"
    if re.search(r"hash|mismatch", text, re.IGNORECASE):
        return _other_file(name)
    return _Explained(
        "CondaPackageBroken",
        f"{name} cannot be installed: {_last_cause(text)}. Its file in the channel, or in conda's cache "
        "(RATTLER_CACHE_DIR), is damaged or gone: repair it there, or ask for another version.",
    )


def _other_file(name: str) -> _Explained:
    return _Explained(
        "HashMismatch",
        f"The file that the conda channel gave for {name} is not the one that was locked: its hash differs. "
        "Someone replaced it, or the download was damaged. Check the channel; if the change is meant, update "
        "the environment.",
    )


def _post_link(name: str) -> _Explained:
    return _Explained(
        "PostLinkFailed",
        f"The script that {name} runs when it is installed (post-link) failed. Ask for another version of "
        "it, or report this to whoever made the package.",
    )


def _invalid(text: str) -> _Explained:
    return _Explained(
        "SpecificationInvalid", f"A conda package is not written as conda has it: {text}. Write numpy=1.26."
    )


def _unexplained(text: str) -> _Explained:
    last = " | ".join(text.strip().splitlines()[-3:])
    return _Explained("EnvironmentFailed", f"The conda packages could not be installed: {last}")


def _last_cause(text: str) -> str:
    return text.strip().splitlines()[-1].removeprefix(_CAUSE)


_RULES = {
    "SolverError": _unsolvable,
    "GatewayError": _channel,
    "FetchRepoDataError": _channel,
    "InstallerError": _installation,
    "HashMismatch": _other_file,
    "PostLinkFailed": _post_link,
    "InvalidMatchSpecError": _invalid,
}
