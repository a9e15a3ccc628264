"""uv's failure text -> an `EnvironmentException` that says what happened, why, and what to do. Pure.

Codes: DiskFull, CacheUnusable, Offline, HashMismatch, CertificateFailed, IndexUnreachable, BuildFailed,
PackageNotFound, CondaPackageNotOnPyPI, NoWheel, VersionConflict, and EnvironmentFailed for what none of these
explains.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from estiva.errors import EnvironmentException

_TAIL_LINES = 6
_CLAUSES = 6
_LONGEST = 300
_FRAME = " \t\u00d7\u2570\u2500\u25b6\u251c\u2502\u00b7"  # what uv's releases draw around their messages
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_ERROR = r"\b(?:\w*Error|\w*Exception|error)"
_OTHER_PYTHON = r"(?:Python version \((?P<python>.+?)\) does not satisfy|requires)"
_PROGRAM_MISSING = (
    r"(?:unable to execute|command) '([^' ]+)'(?: failed)?: No such file",
    r"FileNotFoundError: \[Errno 2\] No such file or directory: '([\w.+-]+)'",
    r"(\S+): (?:command )?not found",
)
# Inside a longer derivation, with "depends on", a missing version is one step of a conflict.
_ALONE = "^(?!.*depends? on).*"


@dataclass(frozen=True)
class _Failure:
    match: re.Match[str]
    """Of the rule that fits."""
    text: str
    """All that uv told, in one line."""

    def __getitem__(self, group: str) -> str:
        return self.match[group] or ""

    def found(self, pattern: str) -> str:
        """The first group of `pattern` in the text, or nothing."""
        match = re.search(pattern, self.text)
        return match[1].strip() if match else ""

    @property
    def hint(self) -> str:
        hint = self.found(r"\bhint: (.+?)(?= hint: |$)")
        return f" uv's hint: {hint}" if hint else ""


def explain(output: str, *, conda: Mapping[str, str] | None = None) -> EnvironmentException:
    """What `output`, all that uv told before it failed, means for the user.

    `conda`: canonical name -> how it was written, of the requirements that came from conda packages.
    """
    text = " ".join(_lines(output))
    for pattern, code, say in _RULES:
        match = re.search(pattern, text)
        if match is None:
            continue
        written = (conda or {}).get(canonicalize_name(match["name"])) if code == "PackageNotFound" else None
        if written:
            return not_on_pypi([written], detail=output)
        return EnvironmentException(say(_Failure(match, text)), code=code, detail=output)
    return EnvironmentException(
        f"The environment could not be built. uv said last: {' | '.join(_lines(output)[-_TAIL_LINES:])}",
        detail=output,
    )


def disk_full(place: str, *, detail: str = "") -> EnvironmentException:
    return EnvironmentException(_say_disk_full(place), code="DiskFull", detail=detail)


def not_on_pypi(
    written: Iterable[str], *, hints: Mapping[str, str] | None = None, detail: str = ""
) -> EnvironmentException:
    """`written`: packages in conda's notation; `hints`: the names that some of them have on PyPI."""
    known = "".join(f" On PyPI, {conda} is called {pypi}." for conda, pypi in (hints or {}).items())
    return EnvironmentException(
        "Conda packages are installed from PyPI here, and it does not have these under this name and "
        f"version: {', '.join(written)}.{known} Name what PyPI has (below `pip:` in the conda file), or "
        "remove what your script does not import.",
        code="CondaPackageNotOnPyPI",
        detail=detail,
    )


def _lines(output: str) -> list[str]:
    """The lines without the frames that uv draws."""
    stripped = (line.strip(_FRAME) for line in output.splitlines())
    return [line for line in stripped if line]


# --- what is said ------------------------------------------------------------------------------------------


def _say_disk_full(place: str) -> str:
    return (
        f"The disk is full: {place} has no room for the environment. What was begun is removed. "
        "Free some space, or point ESTIVA_HOME and UV_CACHE_DIR at a larger disk, and deploy again."
    )


def _say_hash_mismatch(failure: _Failure) -> str:
    return (
        f"The file that the package index gave for {failure['name']} is not the one that was locked: its "
        "hash differs. Someone replaced it, or the download was damaged. Check the index; if the change is "
        "meant, name a newer version in the environment."
    )


def _say_cache(failure: _Failure) -> str:
    place = failure.found(r"(?:initialize cache at `|at path \")([^`\"]+)")
    return (
        f"uv's cache cannot be used{f' ({place})' if place else ''}: {failure['why'].strip(' .')}. Point "
        "UV_CACHE_DIR at a folder that can be written, run `estiva down`, and deploy again."
    )


def _say_offline(failure: _Failure) -> str:
    name = failure.found(rf"\b({_NAME}) was not found in the cache") or failure.found(
        r"Failed to (?:fetch|download)[:\s]+`?(\S+?)`?(?=\s|$)"
    )
    return offline_text(name or "A package")


def offline_text(name: str) -> str:
    return (
        f"{name} is not among what was downloaded before, and Estiva is to work offline (--offline, or "
        "ESTIVA_OFFLINE). Import a bundle that has it (`estiva env import FILE`), or allow the network."
    )


def _say_certificate_failed(failure: _Failure) -> str:
    index = failure.found(r"(https://[^\s/`)]+)") or "the package index"
    return (
        f"The certificate of {index} is not trusted. Behind a company proxy, set SSL_CERT_FILE (or PIP_CERT) "
        "to the file with its CA certificates, run `estiva down`, and deploy again."
    )


def _say_unauthorized(failure: _Failure) -> str:
    return (
        f"The package index refuses access to {failure['url']} ({failure['status']}). Check the user name "
        "and password or token in its URL (PIP_INDEX_URL, or --index-url in the environment)."
    )


def _say_file_missing(failure: _Failure) -> str:
    return f"There is nothing at {failure['name']}, which the environment names. Check the address."


def _say_links_missing(failure: _Failure) -> str:
    return f"An option names {failure['path']}, which is no folder that can be read and no URL. Check it."


def _say_unreachable(failure: _Failure) -> str:
    url = failure.found(r"(?:Failed to fetch|request for url)[:\s(]+`?(\S+?)[`)]?(?=\s|$)")
    why = failure.found(
        r"(Connection refused|failed to lookup address[^(]*|Network is unreachable|timed? ?out|"
        r"HTTP status[^)]*\))"
    )
    return (
        f"The package index cannot be reached{f' ({url})' if url else ''}{f': {why}' if why else ''}. Check "
        "the network, or name one that can be reached (PIP_INDEX_URL, or --index-url in the environment)."
    )


def _say_build_failed(failure: _Failure) -> str:
    program = next(filter(None, map(failure.found, _PROGRAM_MISSING)), "")
    errors = re.findall(rf"({_ERROR}: .+?)(?= {_ERROR}: | hint: | \[std|$)", failure["rest"])
    last = errors[-1][:_LONGEST] if errors else failure["rest"][-_LONGEST:]
    what = f"it needs {program}, which is not on this machine" if program else last.strip(" .")
    return (
        f"{failure['name']} has no ready-made wheel for this Python, and building it here failed: {what}. "
        "Take a version that has one, another Python version, or install what the build needs."
    )


def _say_not_found(failure: _Failure) -> str:
    return (
        f"The package index has no package named {failure['name']}. Check the spelling, or name the index "
        f"that has it (--index-url or --extra-index-url).{failure.hint}"
    )


def _say_no_version(failure: _Failure) -> str:
    only = failure.found(r"[Bb]ecause only ((?!the following).+?) (?:is|are) available")
    there = f" It has {only}." if only else ""
    return (
        f"The package index has no {failure['name']}{failure['version']}.{there} Take a version that it has, "
        f"or name the index that has this one (--index-url or --extra-index-url).{failure.hint}"
    )


def _say_wrong_python(failure: _Failure) -> str:
    packages = re.findall(rf"({_NAME}\S*) (?:depends on|requires) Python", failure.text)
    has = f"Python {failure['python'].lstrip('>=')}" if failure["python"] else "another"
    return (
        f"{' and '.join(dict.fromkeys(packages)) or 'A package'} needs Python {failure['needed']}, but the "
        f"environment has {has}. Ask for another Python version (`python=...`), or for a version of the "
        "package made for this one."
    )


def _say_no_wheel(failure: _Failure) -> str:
    return (
        f"{failure['name']} is not published for this Python and platform. Take another version of it, or "
        f"another Python version (`python=...`).{failure.hint}"
    )


def _say_conflict(failure: _Failure) -> str:
    clauses = _clauses(failure["why"])
    shown = "; ".join(clauses[:_CLAUSES]) + ("; ..." if len(clauses) > _CLAUSES else "")
    return f"The requirements exclude each other: {shown}. Loosen or change one of them.{failure.hint}"


def _clauses(explanation: str) -> list[str]:
    """The facts of uv's derivation, each once, without its conclusions and hints."""
    found: list[str] = []
    derivation = re.sub(r"\bhint: .*", "", explanation)
    for sentence in re.split(r"(?:^|[.,:]\s+)(?:[Aa]nd )?[Bb]ecause\s+", derivation):
        premise = re.split(r",? we can conclude that", sentence)[0]
        for clause in re.split(r",?\s+and\s+(?:because\s+)?", premise):
            if found and " " not in clause:  # "you require a and b"
                found[-1] += f" and {clause}"
            else:
                found.append(clause.strip(" .,"))
    return list(dict.fromkeys(clause for clause in found if clause))


_RULES: tuple[tuple[str, str, Callable[[_Failure], str]], ...] = (
    (
        r"No space left on device|Disk quota exceeded|os error (?:28|122)\b",
        "DiskFull",
        lambda _: _say_disk_full("the folder of environments or uv's cache"),
    ),
    (
        r"(?:Failed to initialize cache|Could not acquire lock).*?cause: (?P<why>.+)",
        "CacheUnusable",
        _say_cache,
    ),
    (r"network was disabled|[Nn]etwork connectivity is disabled", "Offline", _say_offline),
    (r"Hash mismatch for `(?P<name>.+?)`", "HashMismatch", _say_hash_mismatch),
    (
        r"invalid peer certificate|UnknownIssuer|(?i:self[- ]signed cert)|(?i:certificate verify failed)",
        "CertificateFailed",
        _say_certificate_failed,
    ),
    (
        r"(?P<url>https?://[^\s`)]+)\W.{0,80}?(?P<status>40[13] (?:Unauthorized|Forbidden))",
        "IndexUnreachable",
        _say_unauthorized,
    ),
    (r"Failed to fetch: `?(?P<name>[^\s`]+).*?404 Not Found", "PackageNotFound", _say_file_missing),
    (r"Distribution not found at: (?P<name>\S+)", "PackageNotFound", _say_file_missing),
    (
        r"(?:Failed to read `--find-links` directory|Invalid URL in .{1,200}?): `?(?P<path>[^\s`]+)",
        "IndexUnreachable",
        _say_links_missing,
    ),
    (
        r"Failed to fetch|error sending request|dns error|tcp connect error|etwork connectivity is",
        "IndexUnreachable",
        _say_unreachable,
    ),
    (r"Failed to (?:download and )?build `(?P<name>.+?)`(?P<rest>.*)", "BuildFailed", _say_build_failed),
    (
        rf"(?P<name>{_NAME}) was not found in the (?:package registry|provided package locations|cache)",
        "PackageNotFound",
        _say_not_found,
    ),
    (
        rf"{_OTHER_PYTHON} Python ?(?P<needed>[<>=!~]\S*?)(?=[, ]|$)",
        "VersionConflict",
        _say_wrong_python,
    ),
    (
        rf"(?P<name>{_NAME}\S*) has no (?:usable |compatible )?(?:wheels|source distribution)",
        "NoWheel",
        _say_no_wheel,
    ),
    (
        rf"{_ALONE}there (?:is|are) no versions? of (?P<name>{_NAME}?)(?P<version>[=<>!~]\S*)(?= and|,)",
        "PackageNotFound",
        _say_no_version,
    ),
    (
        rf"{_ALONE}only .+? available.*? and you require (?P<name>{_NAME}?)(?P<version>[=<>!~]\S*?),? ",
        "PackageNotFound",
        _say_no_version,
    ),
    (
        r"No solution found when resolving .*?:?(?: cause:)? (?P<why>Because .+)",
        "VersionConflict",
        _say_conflict,
    ),
)
"""Pattern, code, message; the first that fits explains, so causes stand before what follows from them."""
