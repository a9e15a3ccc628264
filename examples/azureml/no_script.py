import json

import joblib
import sklearn
from azureml.core import Workspace
from azureml.core.model import Model
from azureml.core.resource_configuration import ResourceConfiguration
from sklearn.linear_model import LinearRegression

ws = Workspace.from_config()

joblib.dump(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]), "sklearn_regression_model.pkl")

model = Model.register(
    workspace=ws,
    model_name="my-sklearn-model",
    model_path="./sklearn_regression_model.pkl",
    model_framework=Model.Framework.SCIKITLEARN,
    model_framework_version=sklearn.__version__,
    resource_configuration=ResourceConfiguration(cpu=1, memory_in_gb=0.5),
    description="A straight line of scikit-learn",
    tags={"area": "demo", "type": "regression"},
)
print("Name:", model.name, "Framework:", model.model_framework, "CPU:", model.resource_configuration.cpu)

service = Model.deploy(ws, "no-script", [model], overwrite=True)
service.wait_for_deployment(show_output=True)
print(service.run(json.dumps({"data": [[2.0]], "method": "predict"})))
service.delete()
