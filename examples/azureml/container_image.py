import json

from azureml.core.image import ContainerImage
from azureml.core.model import Model
from azureml.core.webservice import LocalWebservice, Webservice
from azureml.core.workspace import Workspace

ws = Workspace.from_config()
model = Model.register(model_path="linear.json", model_name="linear", workspace=ws)

image_config = ContainerImage.image_configuration(
    execution_script="score.py", runtime="python", conda_file="env.yml", description="A line"
)
service = Webservice.deploy_from_model(
    workspace=ws,
    name="container-image",
    models=[model],
    image_config=image_config,
    deployment_config=LocalWebservice.deploy_configuration(),
)
service.wait_for_deployment(show_output=True)
print(service.run(json.dumps({"data": [3]})))
service.delete()
