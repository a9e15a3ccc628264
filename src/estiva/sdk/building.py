"""Something that the control server builds while this program goes on."""

from __future__ import annotations

import threading
from typing import Any

from estiva.errors import EstivaError
from estiva.messages import Progress
from estiva.sdk.connection import connect

_POLL_SECONDS = 0.2


class Build:
    """Its log, and how it ends. It goes on if this program ends."""

    def __init__(self, path: str, body: dict[str, Any]) -> None:
        self.result: dict[str, Any] | None = None
        self.error: EstivaError | None = None
        self._lines: list[str] = []
        self._thread = threading.Thread(target=self._follow, args=(path, body), name="build", daemon=True)
        self._thread.start()

    def _follow(self, path: str, body: dict[str, Any]) -> None:
        try:
            self.result = connect().progress(path, body=body, show=self._keep)
        except EstivaError as error:
            self.error = error

    def _keep(self, progress: Progress) -> None:
        self._lines.append(progress.message)

    @property
    def state(self) -> str:
        """ "Running", "Succeeded" or "Failed"."""
        if self.error is not None:
            return "Failed"
        return "Running" if self.result is None else "Succeeded"

    @property
    def log(self) -> str:
        """What it told so far."""
        return "".join(f"{line}\n" for line in list(self._lines))

    def wait(self, show_output: bool) -> None:
        """Until it has ended, one way or the other."""
        shown, ended = 0, False
        while not ended:
            self._thread.join(_POLL_SECONDS)
            ended = not self._thread.is_alive()
            lines = self._lines[shown:]
            shown += len(lines)
            if show_output and lines:
                print("\n".join(lines))
