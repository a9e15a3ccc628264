import os

from azureml.core import Environment, Workspace
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.environment import DEFAULT_CPU_IMAGE

ws = Workspace.from_config()

conda = CondaDependencies.create(
    conda_packages=["pip"], pip_packages=["azureml-defaults", "numpy==1.26.4"], pin_sdk_version=False
)
conda.add_pip_package("numpy>=1.26")
conda.set_python_version("3.11")
with open("myenv.yml", "w") as file:
    file.write(conda.serialize_to_string())
with open("myenv.yml") as file:
    print(file.read())
print(list(conda.pip_packages), conda.get_python_version())

myenv = Environment.from_conda_specification(name="saved", file_path="myenv.yml")
myenv.docker.enabled = True
myenv.docker.base_image = DEFAULT_CPU_IMAGE
myenv.environment_variables = {"EXAMPLE": "value"}
registered = myenv.register(workspace=ws)
print(myenv.version, registered.version, Environment.get(ws, "saved").environment_variables)

registered.save_to_directory("saved_environment", overwrite=True)
print(sorted(os.listdir("saved_environment")), Environment.load_from_directory("saved_environment").name)

for name in ("AzureML-sklearn-0.24-ubuntu18.04-py37-cpu", "Estiva-minimal"):
    print(name, "->", Environment.get(ws, name).name)
print("saved" in ws.environments)
