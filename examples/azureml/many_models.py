import json

from azureml.core import Environment, Workspace
from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import LocalWebservice

ws = Workspace.from_config()
first = Model.register(workspace=ws, model_path="linear.json", model_name="linear", tags={"kind": "rising"})
second = Model.register(workspace=ws, model_path="falling.json", model_name="falling")

print([model.name for model in Model.list(ws, tags=[["kind", "rising"]], latest=True)])
print(Model(ws, name="linear").version == first.version, Model(ws, id=second.id).name)

inference_config = InferenceConfig(
    entry_script="score_two.py",
    environment=Environment.from_conda_specification("two-models", "env.yml"),
)
service = Model.deploy(
    ws, "many-models", [first, Model(ws, "falling")], inference_config, LocalWebservice.deploy_configuration()
)
service.wait_for_deployment()
print(service.run(json.dumps({"x": 2})))
print(sorted(model.name for model in service.models))
service.delete()
