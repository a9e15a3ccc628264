"""Deploys the model with the SDK: run train.py first. The service runs on until it is deleted."""

from pathlib import Path

from estiva import Environment, InferenceConfig, LocalWebservice, Model, Workspace

ws = Workspace.create("diabetes", exist_ok=True)
model = Model.register(ws, model_path="diabetes.pkl", model_name="diabetes", tags={"data": "diabetes"})
environment = Environment.from_conda_specification("diabetes", "environment.yml")
inference_config = InferenceConfig(entry_script="score.py", environment=environment)

service = Model.deploy(
    ws,
    "diabetes",
    [model],
    inference_config,
    LocalWebservice.deploy_configuration(port=8890),
    overwrite=True,
)
service.wait_for_deployment(show_output=True)
print(service.scoring_uri)
print(service.run(Path("sample.json").read_text()))
