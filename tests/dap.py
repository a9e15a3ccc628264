"""A small client of the Debug Adapter Protocol: what an editor does when it attaches."""

from __future__ import annotations

import itertools
import json
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

SECONDS = 60.0
"""The bound of every wait."""

Message = dict[str, Any]


class DebugClient:
    """Attached to a debugger, with its breakpoints set; leaves it, and what it holds goes on, at the end."""

    def __init__(
        self, port: int, breakpoints: Mapping[Path | str, int], mappings: list[dict[str, str]] | None = None
    ) -> None:
        """`breakpoints`: a line in each file, as the editor knows it. `mappings`: of a launch.json."""
        self._socket = _connect(port)
        self._stream = self._socket.makefile("rwb")
        self._numbers = itertools.count(1)
        self._kept: list[Message] = []
        self._attach(breakpoints, mappings or [])

    def __enter__(self) -> DebugClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def _attach(self, breakpoints: Mapping[Path | str, int], mappings: list[dict[str, str]]) -> None:
        self.ask("initialize", adapterID="debugpy", pathFormat="path")
        attach = self._send("attach", pathMappings=mappings, justMyCode=True)
        self.event("initialized")
        for path, line in breakpoints.items():
            self.verified = self.ask(
                "setBreakpoints", source={"path": str(path)}, breakpoints=[{"line": line}]
            )["breakpoints"]
        self.ask("configurationDone")
        self._answer(attach)

    # --- what people do ------------------------------------------------------------------------------

    def stopped(self) -> Message:
        """Waits until a breakpoint holds a thread; the frame on top."""
        self._thread = self.event("stopped")["threadId"]
        frames: list[Message] = self.ask("stackTrace", threadId=self._thread)["stackFrames"]
        self._frame = frames[0]["id"]
        return frames[0]

    def variables(self) -> dict[str, str]:
        """The local variables where it stopped, as they are shown."""
        scopes = self.ask("scopes", frameId=self._frame)["scopes"]
        local = next(scope for scope in scopes if scope["name"] == "Locals")
        found = self.ask("variables", variablesReference=local["variablesReference"])["variables"]
        return {variable["name"]: variable["value"] for variable in found}

    def evaluate(self, expression: str) -> str:
        found = self.ask("evaluate", expression=expression, frameId=self._frame, context="repl")
        return str(found["result"])

    def go_on(self) -> None:
        self.ask("continue", threadId=self._thread)

    # --- the protocol --------------------------------------------------------------------------------

    def ask(self, command: str, **arguments: Any) -> Message:
        """The body of the answer."""
        return self._answer(self._send(command, **arguments))

    def event(self, name: str) -> Message:
        """The body of the next event of that name, which is waited for."""
        message = self._next(lambda one: one["type"] == "event" and one["event"] == name)
        body: Message = message.get("body", {})
        return body

    def _send(self, command: str, **arguments: Any) -> int:
        number = next(self._numbers)
        content = json.dumps(
            {"seq": number, "type": "request", "command": command, "arguments": arguments}
        ).encode()
        self._stream.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
        self._stream.flush()
        return number

    def _answer(self, number: int) -> Message:
        message = self._next(lambda one: one["type"] == "response" and one["request_seq"] == number)
        assert message["success"], message
        body: Message = message.get("body", {})
        return body

    def _next(self, wanted: Callable[[Message], bool]) -> Message:
        """The first message that is wanted; the others are kept for who wants them."""
        kept = next((one for one in self._kept if wanted(one)), None)
        if kept is not None:
            self._kept.remove(kept)
            return kept
        while not wanted(message := self._read()):
            self._kept.append(message)
        return message

    def _read(self) -> Message:
        length = 0
        while line := self._stream.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        content = self._stream.read(length)
        assert content, "the debugger has closed the connection"
        message: Message = json.loads(content)
        return message


def _connect(port: int) -> socket.socket:
    deadline = time.monotonic() + SECONDS
    while (found := _try(port)) is None:
        assert time.monotonic() < deadline, f"nobody listens on port {port}"
        time.sleep(0.05)
    return found


def _try(port: int) -> socket.socket | None:
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    except ConnectionRefusedError:
        return None
