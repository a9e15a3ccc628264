"""What a score script finds around itself."""

from __future__ import annotations

from estiva_server import contract
from tests.server.conftest import Serve

SURROUNDINGS = """
import os, sys
def init(): pass
def run(data):
    return {
        "cwd": os.getcwd(),
        "path": sys.path,
        "variables": {n: v for n, v in os.environ.items() if n.startswith(("AML_", "AZUREML_"))},
        "stdin": sys.stdin.read(),
    }
"""


def test_a_script_alone(serve: Serve) -> None:
    server = serve({"score.py": SURROUNDINGS, "azureml-models/iris/3/iris.pkl": "x"})
    found = server.score("").json
    assert found["cwd"] == str(server.folder)
    assert found["path"][-1] == str(server.folder)
    assert found["path"].count(str(server.folder)) == 1
    assert found["variables"] == {
        "AML_APP_ROOT": str(server.folder),
        "AZUREML_ENTRY_SCRIPT": "score.py",
        "AZUREML_MODEL_DIR": "azureml-models/iris/3",
    }
    assert found["stdin"] == ""


def test_a_source_directory(serve: Serve) -> None:
    files = {
        "src/sub/score.py": "import features, json\ndef init(): pass\ndef run(d): return features.NAME\n",
        "src/features.py": "NAME = 'features'",
        "json.py": "raise ImportError('the standard library comes first')",
    }
    server = serve(files, "--entry-script", "src/sub/score.py", "--source-root", "src")
    assert server.score("").json == "features"


def test_variables_stand_for_flags(serve: Serve) -> None:
    files = {"src/main.py": SURROUNDINGS}
    server = serve(
        files, AZUREML_ENTRY_SCRIPT="src/main.py", AZUREML_SOURCE_DIRECTORY="src", AZUREML_MODEL_DIR="here"
    )
    found = server.score("").json
    assert found["path"][-2:] == [str(server.folder), str(server.folder / "src")]
    assert found["variables"]["AZUREML_MODEL_DIR"] == "here"


def test_what_a_script_prints_and_logs_is_in_the_log_in_order(serve: Serve) -> None:
    script = (
        "import logging, sys, os\n"
        "log = logging.getLogger('mine')\n"
        "def init(): pass\n"
        "def run(data):\n"
        "    print('one Größe'); log.info('two'); print('three', file=sys.stderr); log.debug('hidden')\n"
        "    os.system('echo four')\n"
    )
    server = serve({"score.py": script})
    server.score("", x_request_id="r1")
    server.stop()
    lines = [line.split(" ", 1)[1] for line in server.log.text.splitlines()]
    begin = lines.index("[r1] one Größe")
    assert lines[begin : begin + 4] == ["[r1] one Größe", "[r1] INFO mine: two", "[r1] three", "four"]
    assert "hidden" not in server.log.text


def test_the_level_of_logging_can_be_set(serve: Serve) -> None:
    script = "import logging\ndef init(): logging.debug('shown')\ndef run(d): pass\n"
    server = serve({"score.py": script}, AZUREML_LOG_LEVEL="debug")
    server.log.wait_for("DEBUG root: shown")


def test_an_unknown_level_of_logging_is_said(serve: Serve) -> None:
    server = serve({"score.py": "def init(): pass\ndef run(d): pass\n"}, AZUREML_LOG_LEVEL="chatty")
    server.log.wait_for("AZUREML_LOG_LEVEL is 'CHATTY', which is no level of logging")


def test_exit_handlers_of_the_script_run_when_it_is_asked_to_end(serve: Serve) -> None:
    script = "import atexit\ndef init(): atexit.register(print, 'said goodbye')\ndef run(d): pass\n"
    server = serve({"score.py": script})
    server.stop()
    server.log.wait_for("said goodbye")


def test_the_stand_ins_are_there(serve: Serve) -> None:
    script = (
        "from azureml.core.model import Model\n"
        "def init(): print('found', Model.get_model_path('iris'))\n"
        "def run(d): pass\n"
    )
    server = serve(
        {"score.py": script, "azureml-models/iris/10/m.pkl": "", "azureml-models/iris/9/m.pkl": ""}
    )
    server.log.wait_for(rf"found {server.folder}/azureml-models/iris/10/m\.pkl")


def test_a_script_with_rawhttp_and_a_schema_is_told_that_it_cannot_be_served(serve: Serve) -> None:
    script = (
        "from azureml.contrib.services.aml_request import rawhttp\n"
        "from inference_schema.schema_decorators import input_schema\n"
        "from inference_schema.parameter_types.standard_py_parameter_type import *\n"
        "def init(): pass\n"
        "@rawhttp\n"
        "@input_schema('data', StandardPythonParameterType(1))\n"
        "def run(data): pass\n"
    )
    server = serve.start({"score.py": script})
    assert server.wait() == contract.EXIT_INIT_FAILED
    assert "run() in score.py has both @rawhttp and a schema" in server.status["reason"]
