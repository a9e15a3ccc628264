"""Lock -> virtual environment, built once per digest and shared by all services with the same lock."""

from __future__ import annotations

from pathlib import Path

from estiva.environments import conda, programs, server, uv
from estiva.environments.explanations import explain
from estiva.environments.folders import is_complete, make_once, translated
from estiva.environments.locks import FOLDER_PREFIX
from estiva.errors import EnvironmentException
from estiva.records import Lock

# Sorts before the server's file, as .pth files are read in order: the borrowed packages win.
BORROWED_PTH = "estiva_borrowed.pth"


def folder_of(lock: Lock, *, root: Path) -> Path:
    return root / lock.digest


def python_of(lock: Lock, *, root: Path) -> Path:
    return folder_of(lock, root=root) / "bin" / "python"


def is_ready(lock: Lock, *, root: Path, server_source: Path) -> bool:
    """Whether the environment is whole, has the current server, and its interpreter still exists."""
    folder = folder_of(lock, root=root)
    return (
        is_complete(folder, lock.digest)
        and (bool(lock.conda) or Path(lock.python).exists())
        and server.ServerFolder.of(lock, root=root, source=server_source).is_attached(folder)
    )


def build(
    lock: Lock, *, root: Path, server_source: Path, on_line: programs.OnLine, cancelled: programs.Cancelled
) -> Path:
    """The environment's folder, built unless it is there; `bin/python` in it is its interpreter.

    Idempotent, and safe to call from many threads and processes at once. EnvironmentException with the codes
    of explanations.py, "Cancelled" or "BuildTimeout"; then nothing is left of it.
    """
    if not lock.conda and not Path(lock.python).exists():
        raise EnvironmentException(
            f"The interpreter {lock.python} is gone, from which the environment was made. Deploy again.",
            code="PythonNotFound",
        )
    folder = folder_of(lock, root=root)
    scoring_server = server.ServerFolder.of(lock, root=root, source=server_source)

    def make(on_line: programs.OnLine, cancelled: programs.Cancelled) -> None:
        make_once(
            folder,
            lock.digest,
            lambda: _make(lock, folder, on_line, cancelled),
            on_line=on_line,
            cancelled=cancelled,
        )

    def make_server(on_line: programs.OnLine, cancelled: programs.Cancelled) -> None:
        python = str(python_of(lock, root=root)) if lock.conda else lock.python
        scoring_server.make(python, on_line=on_line, cancelled=cancelled)

    with translated(folder):
        if lock.conda or is_complete(scoring_server.path, scoring_server.digest):
            make(on_line, cancelled)
            make_server(on_line, cancelled)
        else:  # for the first environment of its kind, at the same time: neither needs the other
            programs.run_both(make, make_server, on_line=on_line, cancelled=cancelled)
        scoring_server.attach(folder)
    return folder


def _make(lock: Lock, folder: Path, on_line: programs.OnLine, cancelled: programs.Cancelled) -> None:
    def run(*arguments: str) -> None:
        outcome = uv.run(arguments, on_line=on_line, cancelled=cancelled)
        if outcome.failed:
            raise explain(outcome.stderr)

    if lock.conda:
        conda.install(lock, folder, on_line=on_line, cancelled=cancelled)
    else:
        run("venv", "--quiet", "--no-project", "--python", lock.python, str(folder))
    if lock.borrowed:
        (server.site_packages(folder) / BORROWED_PTH).write_text(_borrowed_pth(lock), encoding="utf-8")
    elif lock.requirements:
        requirements = folder / "requirements.txt"
        requirements.write_text(lock.requirements, encoding="utf-8")
        # sync installs exactly the lock, and so would take away what conda has installed;
        # what comes from a repository has a commit instead of a hash
        install = ["install", "--no-deps", "-r"] if lock.conda else ["sync"]
        hashes = [] if " @ git+" in lock.requirements else ["--require-hashes"]
        run("pip", *install, str(requirements), "--python", str(folder / "bin" / "python"), *hashes)


def _borrowed_pth(lock: Lock) -> str:
    """addsitedir reads the .pth files of those folders too, so that editable installs work."""
    lines = (line for line in lock.requirements.splitlines() if line.startswith(FOLDER_PREFIX))
    return "".join(f"import site; site.addsitedir({line.removeprefix(FOLDER_PREFIX)!r})\n" for line in lines)
