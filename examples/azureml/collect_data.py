import json

from azureml.core import Environment, Workspace
from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import AksWebservice

ws = Workspace.from_config()
model = Model.register(ws, "linear.json", "linear")
inference_config = InferenceConfig(
    entry_script="score_collect.py", environment=Environment.from_conda_specification("collect", "env.yml")
)
aks_config = AksWebservice.deploy_configuration(collect_model_data=True, enable_app_insights=True)
service = Model.deploy(ws, "collect-data", [model], inference_config, aks_config, overwrite=True)
service.wait_for_deployment(show_output=True)
for x in range(3):
    print(service.run(json.dumps({"data": [x]})))
print(service.data_collection.storage_enabled)
service.delete()
