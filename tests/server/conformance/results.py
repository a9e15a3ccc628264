"""What run() returns and raises. The body names which."""

from __future__ import annotations

from tests.server.conformance.cases import Group, post
from tests.server.conformance.differences import (
    COROUTINE,
    GENERATOR,
    RESULT_IS_NOT_JSON,
    RUN_LEAVES,
    RUN_RAISES,
    Difference,
)

SCRIPT = """
import asyncio, collections, datetime, json, math, sys
import numpy as np

class Own:
    pass

def fail(error):
    raise error

def items():
    yield "a"
    yield "b"

async def later():
    return {"a": 1}

ring = []
ring.append(ring)
deep = []
for _ in range(100_000):
    deep = [deep]

RESULTS = {
    "None": lambda: None,
    "str": lambda: "text",
    "json in a str": lambda: json.dumps({"a": 1}),
    "an empty str": lambda: "",
    "bool": lambda: True,
    "int": lambda: 2 ** 70,
    "float": lambda: 0.1,
    "nan and infinity": lambda: [math.nan, math.inf],
    "list": lambda: [1, "x", None],
    "tuple": lambda: (1, 2),
    "dict": lambda: {"a": {"b": [1.5]}},
    "None in a dict": lambda: {"a": None},
    "keys of several types": lambda: {1: "a", None: "b", True: "c", 1.5: "d"},
    "outside ASCII": lambda: "Größe 測定 🚢",
    "half a character": lambda: "\\ud800",
    "a named tuple": lambda: collections.namedtuple("P", "x y")(1, 2),
    "an ordered dict": lambda: collections.OrderedDict(b=1, a=2),
    "a message of its own": lambda: {"message": "mine"},
    "a numpy array as a list": lambda: np.arange(3).tolist(),
    "a numpy float": lambda: np.float64(1.5),
    "a tuple as web frameworks have it": lambda: ({"a": 1}, 404),
    "prints": lambda: print("printed"),
    "a numpy array": lambda: np.arange(3),
    "a numpy int": lambda: {"y": np.int64(1)},
    "bytes": lambda: b"x",
    "set": lambda: {1},
    "date": lambda: datetime.date(2026, 1, 1),
    "an object": lambda: Own(),
    "an exception": lambda: ValueError("x"),
    "a list within itself": lambda: ring,
    "nested deep": lambda: deep,
    "tuples as keys": lambda: {(1, 2): 3},
    "a generator": items,
    "a coroutine": later,
    "raises": lambda: fail(ValueError("secret")),
    "raises without a text": lambda: fail(Exception()),
    "raises a timeout": lambda: fail(TimeoutError()),
    "is interrupted": lambda: fail(KeyboardInterrupt()),
    "exits": lambda: sys.exit(1),
    "is cancelled": lambda: fail(asyncio.CancelledError()),
}

def init(): pass
def run(data): return RESULTS[data]()
"""

ALIKE = (
    *("None", "str", "json in a str", "an empty str", "bool", "int", "float", "nan and infinity", "list"),
    *("tuple", "dict", "None in a dict", "keys of several types", "outside ASCII", "half a character"),
    *("a named tuple", "an ordered dict", "a message of its own", "a numpy array as a list"),
    *("a numpy float", "a tuple as web frameworks have it", "prints"),
)
DIFFERING: tuple[tuple[Difference, tuple[str, ...]], ...] = (
    (RESULT_IS_NOT_JSON, ("a numpy array", "a numpy int", "bytes", "set", "date", "an object")),
    (RESULT_IS_NOT_JSON, ("an exception", "a list within itself", "nested deep", "tuples as keys")),
    (GENERATOR, ("a generator",)),
    (COROUTINE, ("a coroutine",)),
    (RUN_RAISES, ("raises", "raises without a text", "raises a timeout")),
    (RUN_LEAVES, ("is interrupted", "exits", "is cancelled")),
)

GROUPS = (
    Group(
        "results",
        {"score.py": SCRIPT},
        (
            *(post(name, name) for name in ALIKE),
            *(post(name, name, (), difference) for difference, names in DIFFERING for name in names),
        ),
    ),
)
