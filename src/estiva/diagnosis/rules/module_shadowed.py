"""A file of the user's has the name of a module of Python's, or of a package, which is found first."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding

_FOUND_OTHER = (
    re.compile(r"cannot import name '.+' from '(?P<module>\w+)[\w.]*' \("),
    re.compile(r"No module named '(?P<module>\w+)\.[\w.]+'; '\w+' is not a package"),
    re.compile(r"module '(?P<module>\w+)' has no attribute"),
)


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    if not chain or "partially initialized" in chain[-1].message:
        return None
    for pattern in _FOUND_OTHER:
        found = pattern.match(chain[-1].message)
        own = _own(evidence, found["module"]) if found else None
        if found and own and not _is_own(chain[-1].message, own):
            return Finding(
                code="ModuleShadowed",
                title=wording.title(chain[-1], f"`{found['module']}` is another module than your {own}"),
                what=wording.exception(chain[-1]),
                why="Python's own modules and installed packages are found before the files of a service.",
                evidence=(f"{own} is shipped with the script", *wording.quote(chain[-1])),
                todo=(f"Rename {own}, and its imports, to a name that no module has.",),
            )
    return None


def _own(evidence: Evidence, module: str) -> str | None:
    """The shipped file that is imported by that name."""
    root = PurePosixPath(evidence.entry_script).parent
    names = (f"{module}.py", f"{module}/__init__.py")
    places = {str(base / name) for base in (PurePosixPath(), root) for name in names}
    return next((file for file in evidence.files if file in places), None)


def _is_own(message: str, own: str) -> bool:
    """Whether the module that was found is that file."""
    return f"/app/{own}" in message
