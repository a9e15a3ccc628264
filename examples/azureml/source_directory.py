import json

from azureml.core import Environment, Model, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.model import InferenceConfig
from azureml.core.webservice import LocalWebservice, Webservice

ws = Workspace.from_config()
model = Model.register(ws, model_name="linear", model_path="./linear.json")

env = Environment(name="myenv")
conda_dep = CondaDependencies.create(pip_packages=["azureml-defaults"])
env.python.conda_dependencies = conda_dep
env.inferencing_stack_version = "latest"

inference_config = InferenceConfig(
    source_directory="./source", entry_script="scripts/score.py", environment=env
)
service = Model.deploy(
    workspace=ws,
    name="source-directory",
    models=[model],
    inference_config=inference_config,
    deployment_config=LocalWebservice.deploy_configuration(port=None),
    overwrite=True,
)
service.wait_for_deployment(True)
print(service.state)
print(service.run(json.dumps({"data": [1]})))

# From another program, it is found by its name.
again = LocalWebservice(ws, "source-directory")
print(again.scoring_uri == service.scoring_uri, "source-directory" in ws.webservices)
print([found.name for found in Webservice.list(ws, compute_type="Local", model_name="linear")])
service.delete()
