import json

from azureml.core import Datastore, Environment, Workspace
from azureml.core.dataset import Dataset
from azureml.core.model import InferenceConfig, Model
from azureml.data import dataset_type_definitions

ws = Workspace.from_config()
model = Model.register(ws, "linear.json", "linear")
inference_config = InferenceConfig(
    entry_script="score.py", environment=Environment.from_conda_specification("profile", "env.yml")
)

with open("sample_request_data.txt", "w") as file:
    for i in range(20):
        file.write(json.dumps({"data": [i, i + 1]}) + "\n")

datastore = Datastore.get_default(ws)
datastore.upload_files(["./sample_request_data.txt"], target_path="sample_request_data", overwrite=True)
sample_request_data = Dataset.Tabular.from_delimited_files(
    [(datastore, "sample_request_data/sample_request_data.txt")],
    separator="\n",
    infer_column_types=True,
    header=dataset_type_definitions.PromoteHeadersBehavior.NO_HEADERS,
)
sample_request_data = sample_request_data.register(ws, "sample_request_data", create_new_version=True)

profile = Model.profile(
    ws,
    "line-profile",
    [model],
    inference_config,
    input_dataset=sample_request_data,
    cpu=1.0,
    memory_in_gb=0.5,
)
profile.wait_for_completion(True)
details = profile.get_details()
print(details["successRate"], details["latencyPercentile50InMs"] > 0)
print(profile.recommended_cpu >= 0.1, profile.recommended_memory >= 0.1, details["requestedCpu"])
