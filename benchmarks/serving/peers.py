"""The same function, a product of a row and a matrix, on every server: the few lines that each one needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Files = Mapping[str, str]

ROW = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]
EXPECTED = [sum(value * (place + 1) for place, value in enumerate(ROW))]
"""What `predict([ROW])` returns."""

MODEL = """
import numpy

WEIGHTS = numpy.arange(1.0, 11.0)

def predict(rows):
    return numpy.asarray(rows).dot(WEIGHTS).tolist()
"""

SCORE = """
import json
from model import predict

def init():
    pass

def run(data):
    return {"result": predict(json.loads(data)["data"])}
"""

PLAIN_BODY = json.dumps({"data": [ROW]})


@dataclass(frozen=True, eq=False)
class Server:
    """A server that is measured. `{port}` in files and command is the port it is to listen on."""

    name: str
    distribution: str
    """Its version is reported."""
    packages: tuple[str, ...]
    command: tuple[str, ...]
    """The program is one of its environment."""
    files: Files
    path: str = "/score"
    body: str = PLAIN_BODY
    answer: tuple[str | int, ...] = ("result",)
    """Where in the answer's JSON the result is."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def result(self, answer: bytes) -> Any:
        content = json.loads(answer)
        for step in self.answer:
            content = content[step]
        return content


ESTIVA = Server(
    name="estiva-server",
    distribution="estiva-server",
    packages=("-e", "./server", "numpy"),
    command=("python", "-m", "estiva_server", "--port", "{port}"),
    files={"score.py": SCORE, "model.py": MODEL},
)

LIMIT = Server(
    name="the limit",
    distribution="granian",
    packages=ESTIVA.packages,
    command=(
        *("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1"),
        *("--blocking-threads", "1", "--no-log", "--no-access-log", "app:app"),
    ),
    files={
        "model.py": MODEL,
        "app.py": """
import json
from model import predict

def app(environment, start_response):
    data = json.loads(environment["wsgi.input"].read())["data"]
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps({"result": predict(data)}).encode()]
""",
    },
)

OFFICIAL = Server(
    name="azureml-inference-server-http",
    distribution="azureml-inference-server-http",
    packages=("azureml-inference-server-http", "numpy"),
    command=("azmlinfsrv", "--entry_script", "score.py", "--port", "{port}", "--worker_count", "1"),
    files=ESTIVA.files,
    variables={"AML_APP_ROOT": "."},
)

MLSERVER = Server(
    name="MLServer",
    distribution="mlserver",
    packages=("mlserver", "numpy"),
    command=("mlserver", "start", "."),
    files={
        "model.py": MODEL,
        "settings.json": """
{"host": "127.0.0.1", "http_port": {port}, "grpc_port": {grpc_port}, "metrics_port": {metrics_port},
 "parallel_workers": 0, "debug": false}
""",
        "model-settings.json": '{"name": "bench", "implementation": "served.Bench"}',
        "served.py": """
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse
from model import predict
import numpy

class Bench(MLModel):
    async def predict(self, payload):
        rows = NumpyCodec.decode_input(payload.inputs[0])
        output = NumpyCodec.encode_output("result", numpy.asarray(predict(rows)))
        return InferenceResponse(model_name=self.name, outputs=[output])
""",
    },
    path="/v2/models/bench/infer",
    body=json.dumps({"inputs": [{"name": "data", "shape": [1, len(ROW)], "datatype": "FP64", "data": ROW}]}),
    answer=("outputs", 0, "data"),
)

BENTOML = Server(
    name="BentoML",
    distribution="bentoml",
    packages=("bentoml", "numpy"),
    command=(
        *("bentoml", "serve", "served:Bench", "--host", "127.0.0.1", "--port", "{port}"),
        *("--api-workers", "1"),
    ),
    files={
        "model.py": MODEL,
        "served.py": """
import bentoml
from model import predict

@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Bench:
    @bentoml.api
    def score(self, data: list) -> dict:
        return {"result": predict(data)}
""",
    },
    variables={"BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": "."},
)

LITSERVE = Server(
    name="LitServe",
    distribution="litserve",
    packages=("litserve", "numpy"),
    command=("python", "served.py"),
    files={
        "model.py": MODEL,
        "served.py": """
import litserve
from model import predict

class Bench(litserve.LitAPI):
    def setup(self, device):
        pass

    def decode_request(self, request):
        return request["data"]

    def predict(self, rows):
        return predict(rows)

    def encode_response(self, output):
        return {"result": output}

if __name__ == "__main__":
    api = Bench(api_path="/score")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, disable_openapi_url=True)
    server.run(
        host="127.0.0.1", port={port}, num_api_servers=1, generate_client_file=False, log_level="warning",
        access_log=False,
    )
""",
    },
)

FASTAPI = Server(
    name="FastAPI on uvicorn",
    distribution="fastapi",
    packages=("fastapi", "uvicorn[standard]", "numpy"),
    command=(
        *("uvicorn", "served:app", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1"),
        *("--no-access-log", "--log-level", "warning"),
    ),
    files={
        "model.py": MODEL,
        "served.py": """
from fastapi import FastAPI
from model import predict
from pydantic import BaseModel

app = FastAPI()

class Input(BaseModel):
    data: list[list[float]]

@app.post("/score")
async def score(given: Input) -> dict[str, list[float]]:
    return {"result": predict(given.data)}
""",
    },
)

RAY = Server(
    name="Ray Serve",
    distribution="ray",
    packages=("ray[serve]", "numpy"),
    command=("python", "served.py"),
    files={
        "model.py": MODEL,
        "served.py": """
import os, signal, tempfile
import ray
from ray import serve
from model import predict

@serve.deployment(num_replicas=1, logging_config={"enable_access_log": False})
class Bench:
    async def __call__(self, request):
        return {"result": predict((await request.json())["data"])}

# Its sockets lie below the folder, and the path of a socket may not be long.
with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:
    ray.init(
        include_dashboard=False, num_cpus=2, object_store_memory=80_000_000, _node_ip_address="127.0.0.1",
        _temp_dir=folder, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": os.getcwd()}},
    )
    serve.start(http_options={"host": "127.0.0.1", "port": {port}})
    serve.run(Bench.bind(), route_prefix="/score")
    signal.sigwait({signal.SIGTERM})
    serve.shutdown()
    ray.shutdown()
""",
    },
    variables={"RAY_USAGE_STATS_ENABLED": "0"},
)

PEERS = (OFFICIAL, MLSERVER, BENTOML, LITSERVE, FASTAPI, RAY)
