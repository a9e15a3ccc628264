import json
import urllib.request

from azureml.core import Environment, Workspace
from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import AciWebservice, Webservice
from azureml.exceptions import WebserviceException

ws = Workspace.from_config()
model = Model.register(ws, "linear.json", "linear")

service_name = "aci-keys"
try:
    Webservice(ws, service_name).delete()
except WebserviceException as e:
    print("WebserviceNotFound" in e.message)

inference_config = InferenceConfig(
    entry_script="score.py", environment=Environment.from_conda_specification("aci-env", "env.yml")
)
aci_config = AciWebservice.deploy_configuration(
    cpu_cores=1,
    memory_gb=1,
    tags={"data": "demo", "method": "line"},
    description="A line in a container",
    auth_enabled=True,
)
service = Model.deploy(
    workspace=ws,
    name=service_name,
    models=[model],
    inference_config=inference_config,
    deployment_config=aci_config,
)
service.wait_for_deployment(show_output=True)
print(service.state, service.compute_type)

primary, secondary = service.get_keys()
request = urllib.request.Request(
    service.scoring_uri,
    data=json.dumps({"data": [1, 2]}).encode(),
    headers={"Content-Type": "application/json", "Authorization": f"Bearer {primary}"},
)
print("prediction:", urllib.request.urlopen(request).read().decode())
print("by the SDK:", service.run(json.dumps({"data": [1, 2]})))

service.regen_key("Primary")
print("the key is another:", service.get_keys()[0] != primary, service.get_keys()[1] == secondary)

service.update(description="Without keys", auth_enabled=False)
service.wait_for_deployment(show_output=True)
print(service.description, service.auth_enabled, service.tags["data"])
print(json.dumps(service.serialize()["containerResourceRequirements"]))
service.delete()
