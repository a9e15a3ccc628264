import json

from azureml.core import Environment, Workspace
from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import AksEndpoint

ws = Workspace.from_config()
model = Model.register(ws, "linear.json", "linear")
environment = Environment.from_conda_specification("rollout", "env.yml")

with open("score_next.py", "w") as script:
    script.write(open("score.py").read().replace("return [", "return ['next'] + ["))

endpoint_config = AksEndpoint.deploy_configuration(
    cpu_cores=0.1,
    memory_gb=0.2,
    enable_app_insights=True,
    tags={"sectionName": "demo"},
    description="rollout",
    version_name="version-a",
    traffic_percentile=20,
)
endpoint = Model.deploy(
    ws, "rollout", [model], InferenceConfig("score.py", environment=environment), endpoint_config
)
endpoint.wait_for_deployment(True)
print(endpoint.compute_type, list(endpoint.versions))

endpoint.create_version(
    version_name="version-b",
    inference_config=InferenceConfig("score_next.py", environment=environment),
    models=[model],
    tags={"modelVersion": "b"},
    description="the next one",
    traffic_percentile=10,
)
endpoint.wait_for_deployment(show_output=True)

endpoint.update_version(version_name="version-b", traffic_percentile=30, is_default=True)
endpoint.wait_for_deployment(True)
endpoint.update_deployment_state()
for name, version in endpoint.versions.items():
    print(name, version.traffic_percentile, version.is_default, version.version_type, version.state)

print(endpoint.run(json.dumps({"data": [1]})))
endpoint.delete_version(version_name="version-a")
print(list(endpoint.versions))
endpoint.delete()
