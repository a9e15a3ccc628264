"""The user's score script: load it, check what it defines, call it."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import CoroutineType, ModuleType, TracebackType
from typing import Any, TypeVar

from estiva_server import batching, inputs
from estiva_server.batching import Batching
from estiva_server.event_loop import wait_for
from estiva_server.inputs import HEADERS_PARAMETER, Reader
from estiva_server.schema import Schema, read_description, read_schema

MODULE_NAME = "service_driver"
"""The name of the entry script in SDK v1's images: pickled models refer to their classes by it."""
RAW_MARK = "__estiva_rawhttp__"
"""The attribute by which @rawhttp marks a function."""
_PATHS_MARK = "__estiva_paths__"
"""The attribute by which @also_at marks a function."""

OUR_FOLDER = str(Path(__file__).parent)

Headers = Mapping[str, str] | Sequence[Mapping[str, str]]
"""Of a request, or of each in a batch."""
_Run = TypeVar("_Run", bound=Callable[..., Any])


class StartError(Exception):
    """The script cannot be served; the message is a sentence for the user, the cause (if any) is theirs."""


def also_at(*paths: str) -> Callable[[_Run], _Run]:
    """Have run() called for these paths as well as for /score."""

    def mark(run: _Run) -> _Run:
        setattr(run, _PATHS_MARK, paths)
        return run

    return mark


class Script:
    """A loaded entry script. `init` and `run` raise whatever the user's functions raise."""

    def __init__(self, module: ModuleType, name: str) -> None:
        self._name = name
        self._init = _function(module, name, "init")
        run = _function(module, name, "run")
        self._described = run
        self.schema: Schema | None = read_schema(run)
        self.paths: tuple[str, ...] = getattr(run, _PATHS_MARK, ())
        """Where run() is called, beside /score."""
        self.is_raw: bool = getattr(run, RAW_MARK, False)
        if self.is_raw and self.schema is not None:
            raise StartError(f"run() in {name} has both @rawhttp and a schema. Leave one of them out.")
        self.batching: Batching | None = getattr(run, batching.MARK, None)
        """None: run() gets one request at a time."""
        self._streams = inspect.isgeneratorfunction(run) or inspect.isasyncgenfunction(run)
        parameters = _parameters(run, name)
        self.wants_headers: bool = HEADERS_PARAMETER in parameters
        self.read: Reader
        """Makes a request what `run` takes as data."""
        if self.schema is not None:
            self.read = inputs.ParameterReader(
                one for one in parameters.values() if one.name != HEADERS_PARAMETER
            )
            self._run = _call_by_name(run, self.wants_headers)
            return
        if self.is_raw:
            from estiva_server.raw import read_request

            self.read = read_request
        else:
            self.read = inputs.read_text
        self._run = _call_with_data(run, _data_parameter(parameters, name), self.wants_headers)

    @property
    def description(self) -> Schema | None:
        """What the script says of run(); a no-code script can only when it knows its model, after init()."""
        return read_description(self._described)

    def init(self) -> None:
        """Raises StartError when the user's init() raises."""
        try:
            _await(self._init())
        except StartError:
            raise
        except (Exception, SystemExit) as error:
            raise StartError(f"init() in {self._name} raised {_describe(error)}") from error

    def batch(self, max_size: int, max_wait_ms: int | None) -> None:
        """Decide on batching, see `batching.choose`. Raises StartError for a run() that cannot have it."""
        self.batching = batching.choose(self.batching, max_size, max_wait_ms)
        if self.batching is None:
            return
        if self.schema is not None:
            raise StartError(
                f"run() in {self._name} is batched and has a schema, which describes one request. Leave one "
                "of them out: a batched run() gets the requests' bodies as a list of str."
            )
        if self._streams:
            raise StartError(
                f"run() in {self._name} is batched and yields its answer. A batched run() must return a list."
            )

    def wrap(self, wrapper: Callable[[Callable[[Any, Headers], Any]], Callable[[Any, Headers], Any]]) -> None:
        """Have what `wrapper` makes of it called in the place of the user's run()."""
        self._run = wrapper(self._run)

    def run(self, data: Any, headers: Headers) -> Any:
        """What the user's run() returns. `headers` reaches it if it has a parameter `request_headers`."""
        result = self._run(data, headers)
        return wait_for(result) if isinstance(result, CoroutineType) else result


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
    return function  # type: ignore[no-any-return]


def _await(result: object) -> None:
    if isinstance(result, CoroutineType):
        wait_for(result)


def _parameters(run: Callable[..., Any], script: str) -> Mapping[str, inspect.Parameter]:
    """Raises StartError for those that no request could be given to."""
    parameters = inspect.signature(run).parameters
    for one in parameters.values():
        if one.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise _wrong_signature(parameters.values(), script)
    return parameters


def _data_parameter(parameters: Mapping[str, inspect.Parameter], script: str) -> inspect.Parameter:
    """The first; any others must have defaults."""
    data = [one for one in parameters.values() if one.name != HEADERS_PARAMETER]
    if not data or any(one.default is inspect.Parameter.empty for one in data[1:]):
        raise _wrong_signature(parameters.values(), script)
    return data[0]


def _wrong_signature(parameters: Iterable[inspect.Parameter], script: str) -> StartError:
    signature = f"run({', '.join(map(str, parameters))})"
    return StartError(
        f"{script} defines {signature}, but run must take exactly one parameter for the request's data, "
        f"of any name, and optionally {HEADERS_PARAMETER}."
    )


def _call_by_name(run: Callable[..., Any], wants_headers: bool) -> Callable[[Any, Headers], Any]:
    if wants_headers:
        return lambda data, headers: run(**data, **{HEADERS_PARAMETER: headers})
    return lambda data, _: run(**data)


def _call_with_data(
    run: Callable[..., Any], data: inspect.Parameter, wants_headers: bool
) -> Callable[[Any, Headers], Any]:
    name = data.name
    if wants_headers:
        return lambda data, headers: run(**{name: data, HEADERS_PARAMETER: headers})
    if data.kind is inspect.Parameter.KEYWORD_ONLY:
        return lambda data, _: run(**{name: data})
    return lambda data, _: run(data)
