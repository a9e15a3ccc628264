"""Replaces one model by another, a share of the requests at a time: run train.py first.

The endpoint runs on until it is deleted: `estiva endpoint delete diabetes-rollout`.
"""

from pathlib import Path

import joblib
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor

from estiva import Endpoint, Environment, InferenceConfig, Model, Workspace

ws = Workspace.create("diabetes", exist_ok=True)
environment = Environment.from_conda_specification("diabetes", "environment.yml")
inference_config = InferenceConfig(entry_script="score.py", environment=environment)
sample = Path("sample.json").read_text()

old = Model.register(ws, model_path="diabetes.pkl", model_name="diabetes")
endpoint = Model.deploy(
    ws,
    "diabetes-rollout",
    [old],
    inference_config,
    Endpoint.deploy_configuration(version_name="ridge"),
    overwrite=True,
)
endpoint.wait_for_deployment(show_output=True)

Path("boosted").mkdir(exist_ok=True)
joblib.dump(HistGradientBoostingRegressor().fit(*load_diabetes(return_X_y=True)), "boosted/diabetes.pkl")
new = Model.register(ws, model_path="boosted/diabetes.pkl", model_name="diabetes")
endpoint.create_version("boosted", models=[new], inference_config=inference_config, traffic_percentile=10)
endpoint.wait_for_deployment(show_output=True)
for version in endpoint.versions.values():
    print(version.summary, version.run(sample))

endpoint.set_traffic({"boosted": 50})
endpoint.set_traffic({}, default="boosted")
endpoint.delete_version("ridge")
print(endpoint.run(sample))
