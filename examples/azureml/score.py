import json
import os

from azureml.core.model import Model


def init():
    global model
    # AZUREML_MODEL_DIR is the folder of the one model; Model.get_model_path finds it by its name.
    with open(Model.get_model_path("linear")) as file:
        model = json.load(file)
    print("model loaded from", os.getenv("AZUREML_MODEL_DIR"))


def run(raw_data):
    data = json.loads(raw_data)["data"]
    return [model["slope"] * x + model["intercept"] for x in data]
