import json

from azureml.core import VERSION, Workspace
from azureml.core.environment import Environment
from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import LocalWebservice

print("SDK version:", VERSION)

ws = Workspace.from_config()
print(ws.name, ws.resource_group, ws.location, ws.subscription_id, sep="\n")

model = Model.register(
    model_path="linear.json",
    model_name="linear",
    tags={"area": "demo", "type": "regression"},
    description="A straight line",
    workspace=ws,
)

environment = Environment.from_conda_specification(name="LocalDeploy", file_path="env.yml")

with open("my_score.py", "w") as script:
    script.write(open("score.py").read())

inference_config = InferenceConfig(entry_script="my_score.py", environment=environment)
deployment_config = LocalWebservice.deploy_configuration()

local_service = Model.deploy(ws, "local-reload", [model], inference_config, deployment_config)
local_service.wait_for_deployment(show_output=True)
print("Local service port:", local_service.port)

sample_input = bytes(json.dumps({"data": [1, 2, 3]}), encoding="utf8")
print(local_service.run(input_data=sample_input))

with open("my_score.py", "a") as script:
    script.write("\n\ndef run(raw_data):\n    return 'Hello, Model'\n")

local_service.reload()
print("--------------------------------------------------------------")
print(local_service.run(input_data=sample_input))

print(local_service.get_logs())
local_service.delete()
