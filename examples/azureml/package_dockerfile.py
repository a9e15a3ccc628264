import os

from azureml.core import Environment, Workspace
from azureml.core.model import InferenceConfig, Model

ws = Workspace.from_config()
model = Model.register(ws, "linear.json", "linear")
inference_config = InferenceConfig(
    entry_script="score.py", environment=Environment.from_conda_specification("package", "env.yml")
)

package = Model.package(ws, [model], inference_config, generate_dockerfile=True)
package.wait_for_creation(show_output=True)
print(package.state)
package.save("./imagefiles")
print(sorted(os.listdir("./imagefiles")))
print("FROM" in open("./imagefiles/Dockerfile").read())
