"""Requirements files of pip, line by line; also the lines below `pip:` in a conda specification."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from estiva.errors import UserErrorException
from estiva.records import EnvironmentSpecification
from estiva.specification.refusals import refusal, suggestion

_WITH_VALUE = {
    "-i": "--index-url",
    "--index-url": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "-f": "--find-links",
    "--find-links": "--find-links",
    "--trusted-host": "--trusted-host",
    "--no-binary": "--no-binary",
    "--only-binary": "--only-binary",
}
_FLAGS = ("--no-index", "--pre", "--prefer-binary", "--require-hashes")
_FILES = {
    "-r": "copy the lines of that file here",
    "--requirement": "copy the lines of that file here",
    "-c": "write the versions that it pins at the packages themselves",
    "--constraint": "write the versions that it pins at the packages themselves",
    "-e": "build a wheel of that folder (`pip wheel --no-deps FOLDER`) and name it: NAME @ file:///PATH/NAME.whl",
}
_FILES["--editable"] = _FILES["-e"]

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[=\s]\s*(\S+)")
_HASH_VALUE = re.compile(r"(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})")
_URL = re.compile(r"(git\+|hg\+|svn\+|bzr\+)?[a-z][a-z+.-]*://", re.IGNORECASE)
_ARCHIVE = re.compile(r"\.(whl|tar\.gz|tgz|zip|tar\.bz2|tar\.xz)$", re.IGNORECASE)


def parse_pip(text: str, *, name: str, source: str = "requirements") -> EnvironmentSpecification:
    """A requirements file -> specification; `source` is what messages call the file."""
    lines = ((f"{source}, line {number}", line) for number, line in _logical_lines(text))
    options, packages = read_lines(lines)
    return EnvironmentSpecification(name=name, pip_options=options, pip_packages=packages)


def read_lines(lines: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(place, line) pairs -> options and requirements, comments left out."""
    options: list[str] = []
    packages: list[str] = []
    for place, line in lines:
        stripped = _COMMENT.sub("", line).strip()
        try:
            if stripped.startswith("-"):
                options += _read_options(stripped)
            elif stripped:
                packages.append(check_requirement(stripped))
        except UserErrorException as error:
            raise refusal(error.message, place=place) from None
    return tuple(options), tuple(packages)


def check_requirement(text: str) -> str:
    """The requirement as the user wrote it, stripped; a bare URL gets the name that its file has.

    PEP 508, followed by pip's `--hash` if there are any. Anything else is a `UserErrorException` that says at
    which column, and what to write.
    """
    requirement, hashes = split_hashes(text.strip())
    if _URL.match(requirement):
        requirement = f"{_project(requirement)} @ {requirement}"
    elif requirement.startswith((".", "/", "~", "\\")) or _is_file(requirement):
        raise refusal(f'"{requirement}" is a path; write NAME @ file:///ABSOLUTE/PATH instead.')
    _check_file(_parse(requirement))
    return " ".join([requirement, *(f"--hash={value}" for value in hashes)])


def split_hashes(text: str) -> tuple[str, tuple[str, ...]]:
    """A requirement without pip's `--hash` options, and their values ("sha256:...")."""
    hashes = tuple(_HASH.findall(text))
    for value in hashes:
        if not _HASH_VALUE.fullmatch(value):
            raise refusal(f'"--hash={value}" is not a hash; pip writes --hash=sha256: and 64 hex digits.')
    return _HASH.sub("", text).strip(), hashes


def option_values(options: Iterable[str], name: str) -> tuple[str, ...]:
    """The values of one option ("--trusted-host") among a specification's `pip_options`; "" for a flag."""
    split = (option.partition(" ") for option in options)
    return tuple(value for option, _, value in split if option == name)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their continuations joined, by the number of their first line."""
    start, whole = 0, ""
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        start = start if whole else number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            whole += line[:-1] + " "
        else:
            yield start, whole + line
            whole = ""
    if whole:
        yield start, whole


def _read_options(line: str) -> Iterator[str]:
    try:
        words = shlex.split(line)
    except ValueError:
        raise refusal(f'"{line}" has a quotation mark without its pair.') from None
    while words:
        name, equals, value = words.pop(0).partition("=")
        if name in _FLAGS and not equals:
            yield name
        elif name in _WITH_VALUE:
            value = value if equals else (words.pop(0) if words else "")
            yield _option(_WITH_VALUE[name], value)
        else:
            raise _refuse_option(name, line)


def _option(name: str, value: str) -> str:
    if not value or value.startswith("-"):
        raise refusal(f"{name} needs a value.")
    if re.search(r"[\s'\"\\#]", value):
        raise refusal(f'The value of {name}, "{value}", has a space or a quotation mark; write it without.')
    if name == "--find-links" and not (_URL.match(value) or value.startswith("/")):
        raise refusal(f'"{name} {value}" is a relative path; write the absolute path or a URL.')
    return f"{name} {value}"


def _refuse_option(name: str, line: str) -> Exception:
    instead = _FILES.get(name) or next(
        (_FILES[key] for key in ("-r", "-c", "-e") if name.startswith(key)), None
    )
    if instead:
        return refusal(f'"{line}" names a file that does not travel with the environment; {instead}.')
    return refusal(
        f'"{name}" is not an option that is supported here{suggestion(name, [*_WITH_VALUE, *_FLAGS])}'
    )


def _parse(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        # packaging shows the reason, the text, and a caret below the place
        lines = str(error).splitlines()
        reason, caret = lines[0], lines[-1]
        column = len(caret) - 4
        place = f" at column {column}" if caret.endswith("^") else ""
        raise refusal(f'"{text}" is not a requirement: {_lower(reason)}{place}.{_hint(text)}') from None


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _hint(text: str) -> str:
    match = re.fullmatch(r"([A-Za-z0-9._-]+(?:\[[^\]]*\])?)\s*(?:=|\s)\s*(\d[\w.*+!]*)(=\w+)?", text)
    return f' Did you mean "{match[1]}=={match[2]}"?' if match else ""


def _is_file(text: str) -> bool:
    return "@" not in text and bool(_ARCHIVE.search(text))


def _check_file(requirement: Requirement) -> None:
    url = requirement.url or ""
    if url.startswith("file:") and not _ARCHIVE.search(urlsplit(url).path):
        raise refusal(f'"{requirement}" is a folder, which may change unseen; {_FILES["-e"]}.')


def _project(url: str) -> str:
    """The project's name that a bare URL tells: by `#egg=NAME`, or by the name of its file."""
    parts = urlsplit(url)
    egg = re.search(r"(?:^|&)egg=([A-Za-z0-9._-]+)", parts.fragment)
    if egg:
        return egg[1]
    file = PurePosixPath(unquote(parts.path)).name
    try:
        return str(parse_wheel_filename(file)[0] if file.endswith(".whl") else parse_sdist_filename(file)[0])
    except (InvalidWheelFilename, InvalidSdistFilename):
        raise refusal(f'"{url}" does not tell the package\'s name; write NAME @ {url}.') from None
