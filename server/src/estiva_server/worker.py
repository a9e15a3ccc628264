"""The worker: the forked process in which the user's script runs. The supervisor calls `work`."""

from __future__ import annotations

import atexit
import faulthandler
import gc
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from estiva_server import contract, debugger, nocode, shims
from estiva_server.app import Application
from estiva_server.balance import Balance, Gate
from estiva_server.child import DEBUGGED, FAILED, READY, STUCK, Tell
from estiva_server.deadline import Watchdog
from estiva_server.native import Server
from estiva_server.output import open_output
from estiva_server.scoreboard import Scoreboard
from estiva_server.script import Script, StartError, load_script, user_frames
from estiva_server.settings import Settings
from estiva_server.telemetry import open_tracing

log = logging.getLogger("estiva_server")

TREE_LINES = 200
_STDERR = 2
_INIT_MARGIN = 0.4
"""Of the time for init(): so long before its end, but no longer than the seconds below, it is looked at.

The limit counts from the start of the replica, and a short one goes in part to the start of Python.
"""
_INIT_MARGIN_SECONDS = 10.0


def work(settings: Settings, descriptor: int, boards: Sequence[Scoreboard], tell: Tell) -> int:
    """Load the script, serve it on the listening socket until SIGTERM; returns the exit status."""
    began = time.monotonic()
    script = start(settings, tell)
    if script is None:
        return contract.EXIT_INIT_FAILED
    return serve(script, time.monotonic() - began, settings, descriptor, boards[0], tell)


def start(settings: Settings, tell: Tell) -> Script | None:
    """Load the script and call init(). None, when the supervisor has been told why, if it fails."""
    _open_log(settings)
    _enter(settings)
    try:
        shims.install()
        if settings.debug_port:
            debugger.open_port(settings)
        own = nocode.script_path(settings.entry_script)
        _watch_init(settings)
        script = load_script(own or settings.app_root / settings.entry_script, settings.entry_script)
        if own is None:  # these take one request at a time
            script.batch(settings.batch_max_size, settings.batch_max_wait_ms)
        script.init()
        faulthandler.cancel_dump_traceback_later()
    except StartError as error:
        _report(error, settings)
        tell(f"{FAILED} {error}")
        return None
    # The script and its models live as long as the process: the collector need not look at them again.
    gc.freeze()
    return script


def serve(
    script: Script,
    init_seconds: float,
    settings: Settings,
    descriptor: int,
    scoreboard: Scoreboard,
    tell: Tell,
) -> int:
    """Serve on the listening socket until SIGTERM; returns the exit status."""
    debugged = debugger.is_present()
    if debugged:
        script.wrap(debugger.followed)
        tell(DEBUGGED)
    tracing = open_tracing(settings, os.environ)
    scorer = tracing.scorer(script, settings, scoreboard) if tracing else None
    application = Application(script, settings, scoreboard, scorer)
    serves = tracing.wrap(application) if tracing else application
    server = Server(serves, descriptor, settings.unix_socket is not None, settings.concurrency)
    balance = Balance(scoreboard, Gate(descriptor)) if settings.workers > 1 else None

    def stop() -> None:
        if balance is not None:
            balance.end()
        server.stop()

    signal.signal(signal.SIGTERM, lambda *_: stop())
    server.start()
    if balance is not None:
        application.slots.on_change = balance.spread
        server.crowded = balance.crowded
        balance.start()
    if settings.scoring_timeout_ms and not debugged:

        def replace_worker() -> None:
            stop()
            tell(STUCK)

        Watchdog(application.slots, settings.scoring_timeout_ms / 1000, replace_worker).start()
    scoreboard.note_init(init_seconds)
    tell(f"{READY} {settings.concurrency * (script.batching.max_size if script.batching else 1)}")
    server.wait()
    # Not all of sys.exit(): a thread of the script that never ends must not keep the process.
    atexit._run_exitfuncs()  # noqa: SLF001  as multiprocessing does in its forked children
    return contract.EXIT_OK


def _open_log(settings: Settings) -> None:
    """print() and logging, line by line, to where the supervisor listens."""
    open_output()
    level = settings.log_level.upper()
    known = level.isdecimal() or isinstance(logging.getLevelName(level), int)
    logging.basicConfig(
        stream=sys.stderr,
        level=(int(level) if level.isdecimal() else level) if known else logging.INFO,
        format="%(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("_granian").setLevel(logging.WARNING)
    if level and not known:
        name = contract.LOG_LEVEL_VARIABLE
        log.warning("%s is %r, which is no level of logging; INFO is used", name, level)


def _watch_init(settings: Settings) -> None:
    """A crash in compiled code, or an import or init() that does not end, says where it is.

    faulthandler does it without Python, so also for code that lets nothing else run.
    """
    faulthandler.enable(_STDERR)
    seconds = settings.init_timeout - min(_INIT_MARGIN_SECONDS, settings.init_timeout * _INIT_MARGIN)
    if seconds > 0:
        faulthandler.dump_traceback_later(seconds, file=_STDERR)


def _enter(settings: Settings) -> None:
    """Working directory, module path and variables, as scripts expect them."""
    os.chdir(settings.app_root)
    roots = [settings.app_root]
    os.environ[contract.APP_ROOT_VARIABLE] = str(settings.app_root)
    os.environ[contract.ENTRY_SCRIPT_VARIABLE] = settings.entry_script
    os.environ[contract.MODEL_DIR_VARIABLE] = settings.model_dir
    if settings.source_root:
        os.environ[contract.SOURCE_DIRECTORY_VARIABLE] = settings.source_root
        roots.append(settings.app_root / settings.source_root)
    sys.path += [str(root) for root in roots]


def _report(error: StartError, settings: Settings) -> None:
    """The user's traceback, and what models there are; the sentence is the supervisor's to say."""
    cause = error.__cause__
    if cause is not None:
        traceback.print_exception(type(cause), cause, user_frames(cause.__traceback__))
    models = settings.app_root / contract.MODELS_FOLDER
    if models.is_dir():
        _print_tree(models)


def _print_tree(folder: Path) -> None:
    print(f"estiva-server: the models in {folder}:", file=sys.stderr)
    paths = list(islice(_files(folder), TREE_LINES + 1))
    for path in paths[:TREE_LINES]:
        print(f"  {path.relative_to(folder)} ({path.lstat().st_size:,} bytes)", file=sys.stderr)
    if len(paths) > TREE_LINES:
        print("  ...", file=sys.stderr)


def _files(folder: Path) -> Iterator[Path]:
    """Through links too: a model's folder may be one."""
    for place, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names))
