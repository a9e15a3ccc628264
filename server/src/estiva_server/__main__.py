"""`python -m estiva_server`: serve a score script. See --help."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

# `python -m` puts the current folder first: a user's json.py there must not be taken for the library's.
if sys.path and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109  as `python -m` writes it
    del sys.path[0]

from estiva_server import contract
from estiva_server.listener import ListenError, listen
from estiva_server.log import LogFile, Write, stamp, write_to_stdout
from estiva_server.secrets import SecretsError, take_secrets
from estiva_server.serve import Supervisor
from estiva_server.settings import Settings, SettingsError, read_settings
from estiva_server.status import LockedError, StatusFile, lock


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status, one of contract.EXIT_*."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        os.environ.update(take_secrets(os.environ))
        settings = read_settings(given, os.environ, Path.cwd())
        if settings.run_dir is not None:
            lock(settings.run_dir)
            # Supervised by a program: in a session of its own, unless that program saw to it.
            with suppress(PermissionError):
                os.setsid()
    except (SettingsError, SecretsError) as error:
        print(f"estiva-server: {error}", file=sys.stderr)
        return contract.EXIT_USAGE
    except LockedError as error:
        print(f"estiva-server: {error}", file=sys.stderr)
        return contract.EXIT_ALREADY_RUNNING
    return serve(settings)


def serve(settings: Settings) -> int:
    status = StatusFile(settings.run_dir, contract.Status(os.getpid(), time.time(), "starting"))
    if settings.log_dir is None:
        return _serve(settings, status, write_to_stdout)
    with closing(LogFile(settings.log_dir)) as log:
        return _serve(settings, status, log.write)


def _serve(settings: Settings, status: StatusFile, write: Write) -> int:
    try:
        listener = listen(settings)
    except ListenError as error:
        _complain(str(error), settings, write)
        status.update(phase="exited", exit_code=error.exit_code, reason=str(error))
        return error.exit_code
    supervisor = Supervisor(settings, listener, write, status)
    for notice in settings.notices:
        supervisor.say(notice)
    return supervisor.run()


def _complain(sentence: str, settings: Settings, write: Write) -> None:
    print(f"estiva-server: {sentence}", file=sys.stderr)
    if settings.log_dir is not None:
        write(stamp(f"estiva-server: {sentence}"))


if __name__ == "__main__":
    sys.exit(main())
