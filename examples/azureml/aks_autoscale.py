import json

from azureml.core import Environment, Workspace
from azureml.core.compute import AksCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException
from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import AksWebservice

ws = Workspace.from_config()
model = Model.register(workspace=ws, model_path="linear.json", model_name="linear")

aks_name = "my-aks"
try:
    aks_target = ComputeTarget(workspace=ws, name=aks_name)
    print("Found existing cluster, use it.")
except ComputeTargetException:
    prov_config = AksCompute.provisioning_configuration(
        agent_count=3, cluster_purpose=AksCompute.ClusterPurpose.DEV_TEST
    )
    aks_target = ComputeTarget.create(workspace=ws, name=aks_name, provisioning_configuration=prov_config)

if aks_target.get_status() != "Succeeded":
    aks_target.wait_for_completion(show_output=True)
print(aks_target.provisioning_state, aks_target.provisioning_errors)

inference_config = InferenceConfig(
    entry_script="score.py", environment=Environment.from_conda_specification("aks-env", "env.yml")
)
aks_config = AksWebservice.deploy_configuration(
    autoscale_enabled=True,
    autoscale_min_replicas=1,
    autoscale_max_replicas=2,
    autoscale_target_utilization=50,
    cpu_cores=0.1,
    memory_gb=0.5,
    enable_app_insights=True,
    scoring_timeout_ms=5000,
)
aks_service = Model.deploy(
    workspace=ws,
    name="aks-autoscale",
    models=[model],
    inference_config=inference_config,
    deployment_config=aks_config,
    deployment_target=aks_target,
)
aks_service.wait_for_deployment(show_output=True)
print(aks_service.state, aks_service.compute_name)
print(aks_service.run(input_data=json.dumps({"data": [10]})))
scaler = aks_service.autoscaler
print(scaler.autoscale_enabled, scaler.min_replicas, scaler.max_replicas, scaler.target_utilization)
print(aks_service.scoring_timeout_ms, aks_service.get_keys()[0] != "")

aks_service.update(autoscale_enabled=False, num_replicas=2, scoring_timeout_ms=6000)
aks_service.wait_for_deployment(show_output=True)
print(aks_service.num_replicas, aks_service.scoring_timeout_ms)

aks_service.delete()
aks_target.delete()
