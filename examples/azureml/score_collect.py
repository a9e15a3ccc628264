import json
import os

from azureml.monitoring import ModelDataCollector


def init():
    global model, inputs_dc, prediction_dc
    with open(os.path.join(os.getenv("AZUREML_MODEL_DIR"), "linear.json")) as file:
        model = json.load(file)
    inputs_dc = ModelDataCollector("linear", designation="inputs", feature_names=["x"])
    prediction_dc = ModelDataCollector("linear", designation="predictions", feature_names=["y"])


def run(raw_data):
    data = json.loads(raw_data)["data"]
    result = [model["slope"] * x + model["intercept"] for x in data]
    correlations = inputs_dc.collect(data)
    prediction_dc.collect(result, correlations)
    return result
