"""Limits of time and size, what surrounds the script, and a server that does not tell its version."""

from __future__ import annotations

from tests.server.conformance.cases import Group, post
from tests.server.conformance.differences import BODY_IS_TOO_LARGE, MODULE_NAME, TIMEOUT

SCRIPT = """
import os, sys, time

import helper

def init(): pass

def run(data):
    if data == "slow":
        time.sleep(5)
    if data == "name":
        return __name__
    if data == "surroundings":
        at_root = os.path.samefile(os.getcwd(), os.environ["AML_APP_ROOT"])
        after_root = [os.path.relpath(path, os.getcwd()) for path in sys.path[-2:]]
        return [at_root, os.environ["AZUREML_MODEL_DIR"], helper.__name__, after_root, "main" in sys.modules]
    return len(data)
"""

NAME = MODULE_NAME.where({"body": ("entry_module", "service_driver")})

GROUPS = (
    Group(
        "limits",
        {"src/sub/score.py": SCRIPT, "src/helper.py": "", "azureml-models/m/1/m.pkl": ""},
        (
            post("surroundings", "surroundings"),
            post(
                "the script's name",
                "name",
                (),
                MODULE_NAME.where({"body": ("entry_module", "service_driver")}),
            ),
            post("a body of the limit", "x" * 1000),
            post("a body over the limit", "x" * 1001, (), BODY_IS_TOO_LARGE),
            post("chunks over the limit", (b"x" * 600, b"x" * 600), (), BODY_IS_TOO_LARGE),
            post("too slow", "slow", (), TIMEOUT),
            post("after one that was too slow", "x"),
        ),
        {
            "SCORING_TIMEOUT_MS": "300",
            "ESTIVA_BODY_LIMIT_BYTES": "1000",
            "AZUREML_SOURCE_DIRECTORY": "src",
            "AZUREML_MODEL_DIR": "azureml-models/m/1",
            "SERVER_VERSION_LOG_RESPONSE_ENABLED": "false",
        },
        "src/sub/score.py",
    ),
)
