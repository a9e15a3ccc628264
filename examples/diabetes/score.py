"""The entry script: `init()` runs once when a replica starts, `run()` once per request."""

import json
import os
from pathlib import Path

import joblib


def init():
    global model
    # Relative to the app root, in which the server works; with one model it is that model's folder.
    model = joblib.load(Path(os.environ["AZUREML_MODEL_DIR"], "diabetes.pkl"))


def run(raw):
    """Takes {"data": [[10 numbers], ...]}, answers {"predictions": [number, ...]} in the same order."""
    rows = json.loads(raw)["data"]
    return {"predictions": model.predict(rows).tolist()}
