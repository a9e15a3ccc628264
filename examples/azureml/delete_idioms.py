from azureml.core import Environment, Workspace
from azureml.core.compute_target import ComputeTarget, ComputeTargetException
from azureml.core.model import InferenceConfig, Model
from azureml.core.webservice import LocalWebservice, Webservice
from azureml.exceptions import AzureMLException, UserErrorException, WebserviceException

ws = Workspace.from_config()


def attempt(name, call):
    try:
        call()
        print(name, "went through")
    except UserErrorException as e:
        print(name, "UserErrorException", "\tMessage: " in str(e))
    except WebserviceException as e:
        print(name, "WebserviceException", e.message.split(":")[0], e.status_code)
    except AzureMLException as e:
        print(name, type(e).__name__)


attempt("no service", lambda: Webservice(ws, "not-there"))
attempt("no model", lambda: Model(ws, "not-there"))
attempt("neither name nor id", lambda: Model(ws))
attempt("page count", lambda: Model.list(ws, page_count=1))
attempt("no target", lambda: ComputeTarget(ws, "not-there"))
attempt("bad port", lambda: LocalWebservice.deploy_configuration(port=0))
attempt("no script", lambda: InferenceConfig(entry_script="absent.py"))

try:
    ComputeTarget(ws, "not-there")
except ComputeTargetException as e:
    print("ComputeTargetNotFound" in e.message)

with open("fails.py", "w") as script:
    script.write("def init():\n    pass\n\n\ndef run(data):\n    raise ValueError('bad data')\n")
environment = Environment.from_conda_specification("delete", "env.yml")
service = Model.deploy(
    ws,
    "delete-idioms",
    [],
    InferenceConfig("fails.py", environment=environment),
    LocalWebservice.deploy_configuration(),
)
service.wait_for_deployment()
try:
    service.run("{}")
except WebserviceException as e:
    print("Response Code: 502" in e.message, "Response Code: 502" in str(e))

for name in ("delete-idioms", "not-there"):
    try:
        Webservice(ws, name).delete()
        print("deleted", name)
    except WebserviceException:
        print("nothing to delete:", name)
print("delete-idioms" in ws.webservices)
