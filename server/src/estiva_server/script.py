"""The user's score script: load it, check what it defines, call it."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

MODULE_NAME = "service_driver"
"""The official server's name for the entry script: pickled models refer to their classes by it."""
HEADERS_PARAMETER = "request_headers"

OUR_FOLDER = str(Path(__file__).parent)

Headers = Mapping[str, str]


class StartError(Exception):
    """The script cannot be served; the message is a sentence for the user, the cause (if any) is theirs."""


class Script:
    """A loaded entry script. `init` and `run` raise whatever the user's functions raise."""

    def __init__(self, module: ModuleType, name: str) -> None:
        self._name = name
        self._init = _function(module, name, "init")
        run = _function(module, name, "run")
        self._run, self.wants_headers = _adapt(run, name)

    def init(self) -> None:
        """Raises StartError when the user's init() raises."""
        try:
            self._init()
        except (Exception, SystemExit) as error:
            raise StartError(f"init() in {self._name} raised {_describe(error)}") from error

    def run(self, data: str, headers: Headers) -> Any:
        """What the user's run() returns. `headers` reaches it if it has a parameter `request_headers`."""
        return self._run(data, headers)


def load_script(path: Path, name: str) -> Script:
    """Execute the file as a module; `name` is what messages call it. Raises StartError."""
    if not path.is_file():
        raise StartError(f"There is no entry script {name} in {path.parent}. Name it with --entry-script.")
    spec = importlib.util.spec_from_file_location(MODULE_NAME, path)
    if spec is None:
        raise StartError(f"The entry script {name} is not a Python file: its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE_NAME] = module
    try:
        # Compiled here and not by the import system, whose cache takes two saves of equal length within a
        # second for one, and would serve the old one after a reload.
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # noqa: S102
    except SyntaxError as error:
        raise StartError(f"{name} has a syntax error: {_describe(error)}") from error
    except (Exception, SystemExit) as error:
        raise StartError(f"{name} could not be imported: it raised {_describe(error)}") from error
    return Script(module, name)


def user_frames(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame on that is not the server's own."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(OUR_FOLDER):
        trace = trace.tb_next
    return trace


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _function(module: ModuleType, script: str, name: str) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if function is None:
        wanted = "init()" if name == "init" else "run(data)"
        raise StartError(f"{script} defines no function {wanted}. A score script needs init() and run(data).")
    if not callable(function):
        raise StartError(f"{name} in {script} is a {type(function).__name__}, but must be a function.")
    if inspect.iscoroutinefunction(function):
        raise StartError(f"{name}() in {script} is declared `async def`. Declare it with `def`.")
    return function  # type: ignore[no-any-return]


def _adapt(run: Callable[..., Any], script: str) -> tuple[Callable[[str, Headers], Any], bool]:
    """run() as a function of data and headers, and whether it wants the headers."""
    parameters = list(inspect.signature(run).parameters.values())
    data = [parameter for parameter in parameters if parameter.name != HEADERS_PARAMETER]
    if len(data) != 1 or data[0].kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        signature = f"run({', '.join(map(str, parameters))})"
        raise StartError(
            f"{script} defines {signature}, but run must take exactly one parameter for the request's data, "
            f"of any name, and optionally {HEADERS_PARAMETER}."
        )
    name = data[0].name
    if len(parameters) == 2:
        return lambda data, headers: run(**{name: data, HEADERS_PARAMETER: dict(headers)}), True
    if data[0].kind is inspect.Parameter.KEYWORD_ONLY:
        return lambda data, _: run(**{name: data}), False
    return lambda data, _: run(data), False
