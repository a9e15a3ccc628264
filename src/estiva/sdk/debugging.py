"""Debugging a service from an editor: what opens the debugger's port, and tells the editor where it is."""

from __future__ import annotations

import time
from os import PathLike
from pathlib import Path
from typing import Any

from estiva.errors import UserErrorException
from estiva.messages import DebugRequest, ServiceView
from estiva.records import Code, Debugger, GenerationState, TargetKind
from estiva.sdk import launch_json as editing
from estiva.sdk.connection import connect
from estiva_server import contract

LAUNCH_JSON = Path(".vscode", "launch.json")
_HOST = "127.0.0.1"
_HERE = "${workspaceFolder}"
_POLL_SECONDS = 0.05


class Debuggable:
    """What a debugger can attach to."""

    name: str
    _view: ServiceView

    @property
    def _path(self) -> str:
        """At the control server."""
        raise NotImplementedError

    def _changed(self, answer: Any, wait: bool) -> None:
        """Takes over what the control server answered."""
        raise NotImplementedError

    def get_logs(self) -> str:
        raise NotImplementedError

    def update_deployment_state(self) -> None:
        raise NotImplementedError

    def wait_for_deployment(self) -> None:
        raise NotImplementedError

    @property
    def debugger(self) -> Debugger | None:
        """Where the newest generation's is, or is to be; None: it is not in debug mode."""
        return self._view.desired.spec.settings.debugger

    def debug(
        self,
        port: int | None = None,
        wait: bool = False,
        launch_json: str | PathLike[str] | None = LAUNCH_JSON,
    ) -> str:
        """Serves the scripts as they are now so that a debugger can attach; returns where: "127.0.0.1:5678".

        `port`: None takes the usual one, or another that is free. `wait`: load the script only when one has
        attached, so that init() can be debugged. `launch_json`: the file that gets an entry for Visual Studio
        Code, which has the current folder open; None leaves it alone.

        Requests have no deadline meanwhile, and all go to one replica.
        """
        wanted = DebugRequest(port=port, wait=wait)
        self._changed(connect().request("POST", f"{self._path}/debug", body=wanted.model_dump()), not wait)
        if wait:
            self._wait_for_port()
        spec = self._view.desired.spec
        assert spec.settings.debugger is not None
        if launch_json is not None:
            write_entry(
                Path(launch_json), self.name, spec.settings.debugger.port, mapping(spec.code, spec.target)
            )
        return f"{_HOST}:{spec.settings.debugger.port}"

    def stop_debugging(self, wait: bool = True) -> None:
        """Serves the scripts as they are now, with deadlines and without a debugger."""
        self._changed(connect().request("DELETE", f"{self._path}/debug"), wait)

    def _wait_for_port(self) -> None:
        """Until the log says that a debugger is waited for; raises if the deployment has failed before."""
        while contract.WAITS_FOR_DEBUGGER not in self.get_logs():
            self.update_deployment_state()
            if self._view.desired.state is not GenerationState.PENDING:
                self.wait_for_deployment()  # raises what it failed of
                return
            time.sleep(_POLL_SECONDS)


def mapping(code: Code, target: TargetKind) -> tuple[Path, str]:
    """The user's folder, and the folder that has its files where they run.

    A process runs them in a folder that is another one after each reload. To a debugger it is ".", the
    working directory; with a source directory its layout is that of the parent.
    """
    local = Path(code.source_directory or Path(code.entry_path).parent).resolve()
    if target == "process":
        return (local.parent, ".") if code.source_directory else (local, ".")
    root = f"{contract.APP_ROOT}/{code.source_root}" if code.source_root else contract.APP_ROOT
    return local, root


def write_entry(file: Path, service: str, port: int, mapped: tuple[Path, str]) -> None:
    """Writes the service's entry, or brings it up to date. UserErrorException if the file is broken."""
    local, remote = mapped
    entry = {
        "name": f"Estiva: {service}",
        "type": "debugpy",
        "request": "attach",
        "connect": {"host": _HOST, "port": port},
        "pathMappings": [{"localRoot": _from_here(local), "remoteRoot": remote}],
    }
    try:
        before = file.read_bytes().decode() if file.exists() else ""
        text = editing.updated(before, entry)
    except (editing.LaunchJsonError, UnicodeDecodeError) as error:
        raise UserErrorException(
            f"{file} cannot be brought up to date: {error}. Correct it and try again, or attach by hand: "
            f"host {_HOST}, port {port}, path mapping from {local} to {remote}.",
            code="LaunchJsonInvalid",
        ) from error
    if text != before:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())


def _from_here(folder: Path) -> str:
    """As the editor has it: relative to the folder that it has open, if it is in that."""
    here = Path.cwd().resolve()
    if folder == here:
        return _HERE
    return f"{_HERE}/{folder.relative_to(here).as_posix()}" if here in folder.parents else str(folder)
