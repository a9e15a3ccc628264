import json
import os
from pathlib import Path

from source_helpers import offset  # the source directory is on the module path


def init():
    global model, extra
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "linear.json")) as file:
        model = json.load(file)
    # The working directory is the app root; the source directory is a folder of it.
    extra = json.loads(Path("./source/extradata.json").read_text())


def run(data, request_headers):
    numbers = json.loads(data)["data"]
    answers = [model["slope"] * x + model["intercept"] + offset() for x in numbers]
    return {"name": extra["name"], "answers": answers, "agent": request_headers.get("User-Agent", "")}
