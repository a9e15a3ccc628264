import json

from azureml.core import Environment, Workspace
from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import LocalWebservice
from azureml.exceptions import WebserviceException

ws = Workspace.from_config()
environment = Environment.from_conda_specification("update", "env.yml")
inference_config = InferenceConfig(entry_script="score.py", environment=environment)
deployment_config = LocalWebservice.deploy_configuration()

model = Model.register(ws, "linear.json", "linear", properties={"trained": "today"})
service = Model.deploy(ws, "update-model", [model], inference_config, deployment_config)
service.wait_for_deployment()
print("before:", service.run(json.dumps({"data": [1]})))

with open("linear.json", "w") as file:
    json.dump({"slope": 10.0, "intercept": 0.0}, file)
different_model = Model.register(ws, "linear.json", "linear")
print("new version:", different_model.version == model.version + 1)

service.update([different_model], inference_config, deployment_config)
service.wait_for_deployment()
print("after:", service.run(json.dumps({"data": [1]})))

service.update(models=[model], inference_config=inference_config, wait=True)
print("back:", service.run(json.dumps({"data": [1]})))

model.add_tags({"stage": "production"})
model.remove_tags("stage")
model.add_properties({"checked": True})
try:
    model.add_properties({"trained": "yesterday"})
except WebserviceException as e:
    print("immutable:", "trained" in e.message)
service.add_tags({"team": "lines"})
print(service.tags)
service.delete()
