# What the troubleshooting guide of SDK v1 walks through, as it is typed there.
import json
import os
import shutil

from azureml.core import Experiment, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.environment import Environment
from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import AciWebservice, LocalWebservice

ws = Workspace.from_config()

# 1. Register a model from a file, and from a run.
model = Model.register(
    model_path="linear.json", model_name="linear", tags={"key": "0.1"}, description="test", workspace=ws
)
run = Experiment(ws, "lines").start_logging()
os.makedirs("outputs", exist_ok=True)
shutil.copy("linear.json", "outputs/linear.json")
run.upload_file("outputs/linear.json", "outputs/linear.json")
from_run = run.register_model(model_name="linear", tags={"key": "0.2"}, model_path="outputs/linear.json")
run.complete()
print(from_run.name, from_run.version == model.version + 1, sep="\t")

# 2. An environment from a conda YAML, and an inference configuration.
myenv = Environment.from_conda_specification(name="myenv", file_path="env.yml")
inference_config = InferenceConfig(entry_script="score.py", environment=myenv)

# 3. Deploy to a container, and wait.
aci_config = AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=1)
aci_service = Model.deploy(
    workspace=ws,
    name="mysvc-aci",
    models=[model],
    inference_config=inference_config,
    deployment_config=aci_config,
)
aci_service.wait_for_deployment(show_output=True)
print(aci_service.state)

# 4. Deploy locally, and send bytes of JSON.
deployment_config = LocalWebservice.deploy_configuration(port=8890)
service = Model.deploy(ws, "mysvc", [model], inference_config, deployment_config)
service.wait_for_deployment(True)
print(service.port)
test_sample = bytes(json.dumps({"data": [1, 2, 3, 4]}), encoding="utf8")
prediction = service.run(input_data=test_sample)
print(prediction)

# 5. Reload after an edit of the script.
with open("score.py", "a") as script:
    script.write("\n\ndef run(raw_data):\n    return json.loads(raw_data)['data'][::-1]\n")
service.reload()
print(service.run(input_data=test_sample))

# 6. Update to a different model, with the same configurations.
different_model = from_run
service.update([different_model], inference_config, deployment_config)
service.wait_for_deployment()
print([found.version == different_model.version for found in service.models])

# 7. The log, from the object and by the service's name.
print("model loaded from" in service.get_logs(), "model loaded from" in ws.webservices["mysvc"].get_logs())

# 8. Dependencies as a file.
myenv = CondaDependencies.create(conda_packages=["scikit-learn"], pip_packages=["azureml-defaults"])
with open("myenv.yml", "w") as f:
    f.write(myenv.serialize_to_string())
print("scikit-learn" in open("myenv.yml").read(), "azureml-defaults" in open("myenv.yml").read())

service.delete()
aci_service.delete()
