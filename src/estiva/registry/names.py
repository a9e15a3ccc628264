"""What models, services, environments and workspaces may be called. Pure checks: silent, or an error."""

from __future__ import annotations

import re
from dataclasses import dataclass

from estiva.errors import EstivaError, UserErrorException, WebserviceException


@dataclass(frozen=True)
class _Rule:
    """`sentence` completes "The name of a service ..."; `pattern` and `allowed` say the same to Python."""

    noun: str
    pattern: re.Pattern[str]
    allowed: re.Pattern[str]
    lengths: range
    sentence: str
    error: type[EstivaError]

    def check(self, name: str) -> None:
        if self.pattern.fullmatch(name):
            return
        raise self.error(
            f'"{name}" cannot be the name of {self.noun}: it {self._fault(name)}. '
            f"Such a name {self.sentence}.",
            code="InvalidName",
        )

    def _fault(self, name: str) -> str:
        strangers = list(dict.fromkeys(character for character in name if not self.allowed.match(character)))
        if strangers:
            return f"contains {_listed(strangers)}"
        if len(name) not in self.lengths:
            return f"has {len(name)} character{'' if len(name) == 1 else 's'}"
        return f"begins with {_listed([name[0]])} and ends with {_listed([name[-1]])}"


def _listed(characters: list[str]) -> str:
    """Control characters and the like are shown as Python writes them, so that they can be seen."""
    shown = [character if character.isprintable() else repr(character)[1:-1] for character in characters]
    return ", ".join(f'"{character}"' for character in shown)


_LETTERS_DIGITS_PUNCTUATION = re.compile(r"[a-zA-Z0-9\-._]")

_MODEL = _Rule(
    "a model",
    re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-._]{0,254}"),
    _LETTERS_DIGITS_PUNCTUATION,
    range(1, 256),
    'has 1 to 255 characters: letters (a-z, A-Z), digits, "-", "." and "_", beginning with a letter or digit',
    WebserviceException,
)
_SERVICE = _Rule(
    "a service",
    re.compile(r"(?=.{3,32}\Z)[a-z]([-a-z0-9]*[a-z0-9])?"),
    re.compile(r"[-a-z0-9]"),
    range(3, 33),
    'has 3 to 32 characters: lower-case letters (a-z), digits and "-", beginning with a letter and ending '
    "with a letter or digit",
    WebserviceException,
)
_VERSION = _Rule(
    "a version",
    re.compile(r"(?=.{1,32}\Z)[a-z]([-a-z0-9]*[a-z0-9])?"),
    _SERVICE.allowed,
    range(1, 33),
    _SERVICE.sentence.replace("3 to 32", "1 to 32"),
    WebserviceException,
)
_ENVIRONMENT = _Rule(
    "an environment", _MODEL.pattern, _MODEL.allowed, _MODEL.lengths, _MODEL.sentence, UserErrorException
)
_WORKSPACE = _Rule(
    "a workspace",
    re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{2,32}"),
    re.compile(r"[a-zA-Z0-9\-_]"),
    range(3, 34),
    'has 3 to 33 characters: letters (a-z, A-Z), digits, "-" and "_", beginning with a letter or digit',
    UserErrorException,
)


def model_name(name: str) -> None:
    """Raises WebserviceException with the characters that are not allowed, and the rule."""
    _MODEL.check(name)


def service_name(name: str) -> None:
    """Raises WebserviceException with the characters that are not allowed, and the rule."""
    _SERVICE.check(name)


def version_name(name: str) -> None:
    """Of an endpoint. Raises WebserviceException with the characters that are not allowed, and the rule."""
    _VERSION.check(name)


def environment_name(name: str) -> None:
    """Raises UserErrorException with the characters that are not allowed, and the rule."""
    _ENVIRONMENT.check(name)


def workspace_name(name: str) -> None:
    """Raises UserErrorException with the characters that are not allowed, and the rule."""
    _WORKSPACE.check(name)
