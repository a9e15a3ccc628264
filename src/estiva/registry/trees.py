"""Folders into trees of blobs, and back into folders."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from estiva.errors import MissingModelPath, RegistryException, UserErrorException
from estiva.records import File, Tree
from estiva.registry.blobs import GRACE_SECONDS, Blobs, missing
from estiva.registry.content import storing

SKIPPED_IN_CODE = frozenset({"__pycache__", ".git", ".ipynb_checkpoints"})

_LOCK_SECONDS = 600


def _ignore(_done: int, _total: int) -> None:
    pass


# --- from a folder to a tree -----------------------------------------------------------------------------


def ingest(
    blobs: Blobs,
    path: Path,
    *,
    child_paths: Sequence[Path] | None = None,
    keep_root: bool,
    on_progress: Callable[[int, int], None] = _ignore,
) -> Tree:
    """Stores the file or folder at `path` and returns what it holds. Idempotent.

    With `keep_root`, as for models, a folder's own name is the first component of every path; without, as
    for code, the tree is the folder's content, less caches and version control. A file is a tree of that one
    file. `child_paths` (absolute, or relative to `path`) restricts a folder to those files and folders in it.
    Symbolic links become what they point to, which must be in `path`. `on_progress` hears how many bytes are
    done, of how many.

    Raises MissingModelPath, UserErrorException for what cannot be taken, and what `Blobs.add` raises. Nothing
    is stored before all names and kinds of files have been looked at.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100  resolves ".." without following a link's own name
    with _reading(path):
        survey = _Survey(path, frozenset() if keep_root else SKIPPED_IN_CODE)
        survey.take(path.name if keep_root or not path.is_dir() else "", child_paths)
    if not survey.sources:
        raise UserErrorException(f"{path} is empty: there is no file in it to take.", code="EmptyFolder")
    return _store(blobs, survey, on_progress)


def _store(blobs: Blobs, survey: _Survey, on_progress: Callable[[int, int], None]) -> Tree:
    total, done = sum(source.size for source in survey.sources.values()), 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        on_progress(done, total)

    files = []
    for place, source in sorted(survey.sources.items()):
        sha256, size = blobs.add(source.path, advance)
        files.append(File(path=place, sha256=sha256, size=size, executable=source.executable))
    return Tree(files=tuple(files), directories=tuple(sorted(survey.empty_folders)))


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except MissingModelPath:
        raise
    except OSError as error:
        raise UserErrorException(
            f"{error.filename or path} cannot be read: {error.strerror}.", code="Unreadable"
        ) from error


@dataclass(frozen=True)
class _Source:
    path: Path
    size: int
    executable: bool


@dataclass(frozen=True)
class _Folder:
    """A folder to look into; `above` are the identities of those on the way to it, by which loops end."""

    path: Path
    place: str
    above: frozenset[tuple[int, int]]


class _Survey:
    """What is to be stored, by its place in the tree; found without storing anything."""

    def __init__(self, root: Path, skipped: frozenset[str]) -> None:
        if not root.exists():
            raise missing(root)
        self.sources: dict[str, _Source] = {}
        self.empty_folders: set[str] = set()
        self._root = root
        self._real_root = root.resolve()
        self._skipped = skipped
        self._waiting: list[_Folder] = []

    def take(self, name: str, children: Sequence[Path] | None) -> None:
        """Looks at the root, or the children, which are placed below `name`."""
        for path in [self._root] if children is None else [self._child(child) for child in children]:
            inside = path.relative_to(self._root).parts
            self._look(path, "/".join((name, *inside) if name else inside), frozenset())
        while self._waiting:
            self._look_into(self._waiting.pop())

    def _child(self, child: Path) -> Path:
        place = Path(os.path.abspath(self._root / child))  # noqa: PTH100  as for the root
        if not place.exists():
            raise missing(place)
        if not (place.is_relative_to(self._root) and place.resolve().is_relative_to(self._real_root)):
            raise UserErrorException(
                f"The child path {child} is not inside {self._root}. Give paths of files and folders in it.",
                code="OutsideRoot",
            )
        return place

    def _look_into(self, folder: _Folder) -> None:
        found = [path for path in folder.path.iterdir() if path.name not in self._skipped]
        if not found and folder.place:
            self.empty_folders.add(folder.place)
        for path in found:
            if path.is_symlink():
                self._check_link(path)
            self._look(path, f"{folder.place}/{path.name}".lstrip("/"), folder.above)

    def _look(self, path: Path, place: str, above: frozenset[tuple[int, int]]) -> None:
        status = path.stat()
        _check_name(place, path)
        if stat.S_ISREG(status.st_mode):
            self.sources[place] = _Source(path, status.st_size, bool(status.st_mode & stat.S_IXUSR))
        elif not stat.S_ISDIR(status.st_mode):
            raise UserErrorException(
                f"{path} is neither a file nor a folder but {_kind(status.st_mode)}, which cannot be stored. "
                "Remove it, or choose a folder without it.",
                code="NotAFile",
            )
        elif (identity := (status.st_dev, status.st_ino)) not in above:
            self._waiting.append(_Folder(path, place, above | {identity}))

    def _check_link(self, link: Path) -> None:
        if not link.exists():
            reason = "does not exist"
        elif not link.resolve().is_relative_to(self._real_root):
            reason = f"is outside {self._root}"
        else:
            return
        raise UserErrorException(
            f"The symbolic link {link} points to {link.readlink()}, which {reason}. "
            "Replace the link by a copy, or remove it.",
            code="BadLink",
        )


def _check_name(place: str, path: Path) -> None:
    try:
        place.encode()
    except UnicodeEncodeError:
        raise UserErrorException(
            f"The name of {os.fsencode(path)!r} is not valid UTF-8. Rename it.", code="InvalidName"
        ) from None


def _kind(mode: int) -> str:
    kinds = {stat.S_IFSOCK: "a socket", stat.S_IFIFO: "a named pipe"}
    return kinds.get(stat.S_IFMT(mode), "a device")


# --- from a tree to a folder -----------------------------------------------------------------------------


class Checkouts:
    """Trees as folders, each made once and then shared: `root/<digest>/content` beside its manifest.

    Safe for many threads and processes. A crash leaves at most a folder in `root/incoming`, which `drop`
    removes.
    """

    def __init__(self, blobs: Blobs, root: Path) -> None:
        self._blobs = blobs
        self._root = root

    def checkout(self, tree: Tree) -> Path:
        """The folder with the tree's content, made if it is not there, and made anew if it was changed.

        Its files are read-only. Idempotent; without hashing when it exists. Raises RegistryException with
        code "TreeUnsafe" for a tree that would write elsewhere, and what `Blobs.copy` raises.
        """
        check(tree)
        place = self._root / tree.digest
        with storing(self._root, tree.size), self._lock(tree.digest):
            if not _intact(place):
                self._make(tree, place)
            os.utime(place)  # young, so that drop leaves it alone
        return place / "content"

    def drop(self, keep: set[str]) -> None:
        """Removes the checkouts whose digests are not in `keep`, and leftovers of crashes.

        What was asked for within the last hour stays: it may belong to a deployment that is under way.
        Idempotent.
        """
        for place in self._root.glob("?" * 64):
            if place.name not in keep:
                with self._lock(place.name):
                    if _is_old(place):
                        self._discard(place)
        for leftover in self._incoming.glob("*"):
            if _is_old(leftover):
                shutil.rmtree(leftover, ignore_errors=True)

    @property
    def _incoming(self) -> Path:
        return self._root / "incoming"

    def _make(self, tree: Tree, place: Path) -> None:
        building = self._incoming / uuid.uuid4().hex
        try:
            self._fill(tree, building / "content")
            (building / "manifest.json").write_text(json.dumps(_fingerprint(building / "content")))
            self._discard(place)
            building.rename(place)
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def _fill(self, tree: Tree, content: Path) -> None:
        content.mkdir(parents=True)
        for directory in tree.directories:
            (content / directory).mkdir(parents=True, exist_ok=True)
        for file in tree.files:
            target = content / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            self._blobs.copy(file.sha256, target, file.executable)
            target.chmod(0o555 if file.executable else 0o444)

    def _discard(self, place: Path) -> None:
        """Out of the way in one step, so that half a folder never stands there; nothing if it is gone."""
        if not place.exists():
            return
        self._incoming.mkdir(parents=True, exist_ok=True)
        going = place.rename(self._incoming / uuid.uuid4().hex)
        shutil.rmtree(going, ignore_errors=True)  # what cannot be removed now, a later drop tries again

    @contextmanager
    def _lock(self, digest: str) -> Iterator[None]:
        locks = self._root / "locks"  # lock files stay: removing one would let two in
        locks.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(locks / digest, timeout=_LOCK_SECONDS):
                yield
        except Timeout as error:
            raise RegistryException(
                f"Another process has been writing the same files for {_LOCK_SECONDS} seconds. "
                "Try again when it has finished.",
                code="RegistryBusy",
            ) from error


def check(tree: Tree) -> None:
    """Raises RegistryException with code "TreeUnsafe" if a path leaves the folder, or two collide."""
    files = {file.path for file in tree.files}
    for path in (*files, *tree.directories):
        parts = path.split("/")
        if "\0" in path or not {"", ".", ".."}.isdisjoint(parts):
            raise _unsafe(path, "it leads out of its folder")
        if any("/".join(parts[:depth]) in files for depth in range(1, len(parts))):
            raise _unsafe(path, "a file stands where it needs a folder")
    if len(files) < len(tree.files) or not files.isdisjoint(tree.directories):
        raise _unsafe(next(iter(files)), "a path occurs twice")


def _unsafe(path: str, reason: str) -> RegistryException:
    return RegistryException(
        f"The stored list of files holds the path {path!r}, but {reason}. Register the model again.",
        code="TreeUnsafe",
    )


def _is_old(place: Path) -> bool:
    try:
        return time.time() - place.stat().st_mtime > GRACE_SECONDS
    except FileNotFoundError:  # somebody else has just removed it
        return False


def _intact(place: Path) -> bool:
    try:
        manifest = json.loads((place / "manifest.json").read_text())
        found = _fingerprint(place / "content")
    except (OSError, ValueError):  # not there, or cut short by a power failure
        return False
    # Python itself writes its caches there when a model holds modules; they are checked against the source.
    extra = [path for path in found.keys() - manifest.keys() if "__pycache__" not in path.split("/")]
    return not extra and all(found.get(path) == seen for path, seen in manifest.items())


def _fingerprint(content: Path) -> dict[str, list[int]]:
    """Per path below `content`: mode, size and modification time (ns) of a file, nothing of a folder."""
    found: dict[str, list[int]] = {}
    waiting = [content]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                path = os.path.relpath(entry.path, content)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                    found[path] = []
                else:
                    status = entry.stat(follow_symlinks=False)
                    found[path] = [status.st_mode, status.st_size, status.st_mtime_ns]
    return found
