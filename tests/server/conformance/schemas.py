"""run() with @input_schema: every kind of sample, and the ways to send the parameters."""

from __future__ import annotations

from tests.server.conformance.cases import JSON, Case, Group, ask, get, post
from tests.server.conformance.differences import (
    ALLOW,
    BODY_IS_UNREADABLE,
    HEADERS_ARE_NO_INPUT,
    MARKS_ON_REFUSALS,
    PLAIN_TEXT,
    REQUIRED,
    RUN_RAISES,
    Difference,
)

KINDS = """
import datetime
import numpy as np
import pandas as pd
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types import standard_py_parameter_type as standard
from inference_schema.schema_decorators import input_schema, output_schema

Standard = standard.StandardPythonParameterType

SAMPLES = {
    "array": NumpyParameterType(np.array([[1.5, 2.5]])),
    "times": NumpyParameterType(np.array(["2026-01-01T00:00:00"], dtype="datetime64[s]")),
    "records": NumpyParameterType(np.array([(1, 2.0)], dtype=[("n", "i4"), ("x", "f8")])),
    "free": NumpyParameterType(np.array([1]), enforce_shape=False, enforce_column_type=False),
    "frame": PandasParameterType(pd.DataFrame({"n": [1], "s": ["x"]})),
    "split": PandasParameterType(pd.DataFrame({"n": [1], "x": [0.5]}), orient="split"),
    "dates": PandasParameterType(pd.DataFrame({"t": [pd.Timestamp("2026-01-01")]})),
    "number": Standard(1),
    "ratio": Standard(0.5),
    "flag": Standard(True),
    "text": Standard("x"),
    "items": Standard([1]),
    "members": Standard({"a": 1}),
    "day": Standard(datetime.date(2026, 1, 1)),
    "moment": Standard(datetime.datetime(2026, 1, 1)),
    "clock": Standard(datetime.time(12)),
    "data": Standard(b"x"),
    "nested": Standard({"array": NumpyParameterType(np.array([1])), "more": Standard({"a": Standard("x")})}),
    "arrays": Standard([NumpyParameterType(np.array([1]))]),
}

def show(value):
    if isinstance(value, dict):
        return {key: show(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [show(item) for item in value]
    if isinstance(value, pd.DataFrame):
        kinds = [str(kind) for kind in value.dtypes]
        return ["frame", kinds, value.to_json(orient="split", date_format="iso")]
    if isinstance(value, np.ndarray):
        return ["array", str(value.dtype), value.astype(str).tolist()]
    return [type(value).__name__, str(value)]

def init(): pass

def run(array=None, times=None, records=None, free=None, frame=None, split=None, dates=None, number=None,
        ratio=None, flag=None, text=None, items=None, members=None, day=None, moment=None, clock=None,
        data=None, nested=None, arrays=None):
    return {name: show(value) for name, value in locals().items() if value is not None}

for name, kind in SAMPLES.items():
    run = input_schema(name, kind, optional=True)(run)
run = output_schema(Standard({"a": 1}))(run)
"""

PARAMETERS = """
import numpy as np
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types import standard_py_parameter_type as standard
from inference_schema.schema_decorators import input_schema, output_schema

Standard = standard.StandardPythonParameterType

def init(): pass

@input_schema("data", NumpyParameterType(np.array([[1, 2]])))
@input_schema("factor", Standard(2), optional=True)
@output_schema(NumpyParameterType(np.array([1])))
def run(data, request_headers, factor=2, plain="p"):
    tenant = request_headers.get("X-Tenant")
    return {"sum": (data.sum(axis=1) * factor).tolist(), "plain": plain, "tenant": tenant}
"""

VERSIONS = ("2", "3", "3.1")


def descriptions(*differs: Difference) -> tuple[Case, ...]:
    return tuple(get(f"description {one}", f"/swagger.json?version={one}", (), *differs) for one in VERSIONS)


def send(name: str, body: str | bytes | tuple[bytes, ...], *differs: Difference) -> Case:
    return post(name, body, JSON, *differs)


KIND_CASES = (
    send("nothing", "{}"),
    send("numpy", '{"array": [[1, 2], [3, 4]]}'),
    send("numpy times", '{"times": ["2026-02-03T04:05:06"]}'),
    send("numpy of any shape", '{"free": [[1], [2]]}'),
    send("pandas", '{"frame": [{"n": 1, "s": "a"}, {"n": 2, "s": "b"}]}'),
    send("pandas split", '{"split": {"columns": ["n", "x"], "index": [0], "data": [[1, 0.5]]}}'),
    send("pandas dates", '{"dates": [{"t": "2026-02-03T00:00:00"}]}'),
    send("number", '{"number": 7}'),
    send("number for a float", '{"ratio": 7}'),
    send("flag", '{"flag": true}'),
    send("text", '{"text": "Größe"}'),
    send("list", '{"items": [1, "x", null]}'),
    send("dict", '{"members": {"b": 2}}'),
    send("list for a dict", '{"members": []}'),
    send("datetime", '{"moment": "2026-02-03T04:05:06"}'),
    send("time", '{"clock": "04:05:06"}'),
    send("bytes", '{"data": "AAEC"}'),
    send("nested", '{"nested": {"array": [1, 2], "more": {"a": "y"}, "other": 1}}'),
    send("list of arrays", '{"arrays": [[1, 2], [3]]}'),
    send("null", '{"number": null, "text": "x"}'),
    send("numpy of another rank", '{"array": [1, 2]}', RUN_RAISES),
    send("numpy of another type", '{"array": [["x", "y"]]}', RUN_RAISES),
    send("pandas of other types", '{"frame": [{"n": "x", "s": 1}]}', RUN_RAISES),
    send("pandas with a column too many", '{"frame": [{"n": 1, "s": "a", "t": 1}]}', RUN_RAISES),
    send("str for a number", '{"number": "7"}', RUN_RAISES),
    send("no datetime", '{"moment": "soon"}', RUN_RAISES),
    send("wrong within", '{"nested": {"array": [1, 2], "more": {"a": 5}}}', RUN_RAISES),
    get("by query", "/score?number=7&text=x&items=[1]&members=%7B%22a%22:1%7D"),
    get("by query, repeated", "/score?items=1&items=2"),
    get("by query, a list of lists", "/score?array=[[1,2]]"),
    get("by query, of a wrong type", "/score?number=x", (), RUN_RAISES),
    *descriptions(),
)

DATA = '{"data": [[1, 2]]}'


def schema(more: dict[str, object], example: dict[str, object]) -> dict[str, object]:
    integer = {"type": "integer", "format": "int64"}
    data = {"type": "array", "items": {"type": "array", "items": integer}, "format": "numpy.ndarray"}
    return {
        "type": "object",
        "properties": {"data": data, "factor": integer, "plain": {}, **more},
        "example": {"data": [[1, 2]], "factor": 2, "plain": "", **example},
    }


BODIES = (
    send("json", DATA),
    post("optional, and a header", '{"data": [[1, 2]], "factor": 3}', {**JSON, "X-Tenant": "blue"}),
    send("no schema for one", '{"data": [[1, 2]], "plain": {"x": 1}}'),
    send("more members", '{"data": [[1, 2]], "more": 1, "request_headers": {"X-Tenant": "forged"}}'),
    send("one missing", '{"factor": 1}'),
    send("null for one", '{"data": null}', RUN_RAISES),
    send("empty", ""),
    send("white space", "  "),
    send("no json", "{"),
    send("more after the json", f"{DATA} x"),
    *(send(f"json, but {body}", body) for body in ("[1]", '"x"', "1", "null", "true")),
    send("utf-16", DATA.encode("utf-16")),
    send("a byte order mark", b"\xef\xbb\xbf" + DATA.encode()),
    send("the same member twice", '{"data": [[1, 2]], "data": [[3, 4]]}'),
    send("chunked", (b'{"data": ', b"[[1, 2]]}")),
    send("nan", '{"data": [[NaN, 1]]}', RUN_RAISES),
    send("not utf-8", b"\xff", BODY_IS_UNREADABLE),
    send("nested deep", "[" * 100_000, BODY_IS_UNREADABLE),
    send("a long number", f'{{"data": [[1, 2]], "factor": 1{"0" * 5000}}}', BODY_IS_UNREADABLE),
    post("a query beside the body", DATA, JSON, path="/score?data=[[5,5]]"),
    get("by query", "/score?data=[[1,2]]&factor=3"),
    get("by query, one missing", "/score?factor=3"),
    ask("OPTIONS", "/score", (), ALLOW, PLAIN_TEXT),
    ask("PUT", "/score", (), ALLOW, MARKS_ON_REFUSALS),
    *descriptions(
        REQUIRED,
        HEADERS_ARE_NO_INPUT.where(
            {"input schema": (schema({"request_headers": {}}, {"request_headers": ""}), schema({}, {}))}
        ),
    ),
)

TYPES = (
    "application/json; charset=utf-8",
    'application/json; charset="UTF-8"; x=y',
    "APPLICATION/JSON",
    " application/json ;charset=utf-8",
    "application/vnd.api+json",
    "text/json",
    "text/x+json",
    "application/jsonx",
    "application/x+jsonx",
    "application/x-www-form-urlencoded",
    "application/json, text/plain",
)
CONTENT_TYPES = (
    *(post(f"type {kind.strip()}", DATA, {"Content-Type": kind}) for kind in TYPES),
    post("no type", DATA),
)

GROUPS = (
    Group("kinds", {"score.py": KINDS}, KIND_CASES),
    Group("parameters", {"score.py": PARAMETERS}, BODIES + CONTENT_TYPES),
)
