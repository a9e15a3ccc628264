"""Scripts of Azure ML whose environment names azureml-defaults alone."""

from __future__ import annotations

import httpx

from estiva import CondaDependencies, Environment, InferenceConfig, Model
from tests.e2e.conftest import Project

RAW = """
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse

def init(): pass

@rawhttp
def run(request):
    return AMLResponse(request.args["name"].upper(), 201)
"""
SCHEMA = """
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema

def init(): pass

@input_schema("data", StandardPythonParameterType([1, 2]))
def run(data):
    return sum(data)
"""


def deploy(project: Project, name: str, script: str) -> str:
    environment = Environment("azure")
    environment.python.conda_dependencies = CondaDependencies.create(pip_packages=["azureml-defaults"])
    inference = InferenceConfig(entry_script=str(project.write(script)), environment=environment)
    service = Model.deploy(project.workspace, name, [], inference)
    service.wait_for_deployment()
    return str(service.scoring_uri)


def test_raw_requests_and_schemas_work_as_they_are(project: Project) -> None:
    raw, schema = deploy(project, "raw", RAW), deploy(project, "schema", SCHEMA)
    answer = httpx.get(raw, params={"name": "ada"})
    assert (answer.status_code, answer.text) == (201, "ADA")
    assert httpx.post(schema, json={"data": [3, 4]}).json() == 7
    assert httpx.post(schema, json={}).status_code == 400
