"""Traces of a real server, as a real OTLP receiver gets them."""

from __future__ import annotations

import http.server
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from estiva_server.telemetry import is_wanted
from tests.server.conftest import Serve
from tests.server.serving import SECONDS

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


class Receiver(http.server.ThreadingHTTPServer):
    """Takes what is exported over HTTP."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: queue.Queue[tuple[str, Any]] = queue.Queue()
        """Spans, each with the name of its service."""

    @property
    def variables(self) -> dict[str, str]:
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.server_address[1]}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def take(self, count: int) -> dict[str, Any]:
        """So many spans, by name."""
        return {span.name: span for _, span in (self.received.get(timeout=SECONDS) for _ in range(count))}


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = [a.value.string_value for a in resource.resource.attributes if a.key == "service.name"]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.server.received.put((names[0], span))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Tests read what came from `received`."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever)
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join(SECONDS)


SCRIPT = {
    "score.py": "from opentelemetry import trace\n"
    "def init(): pass\n"
    "def run(data):\n"
    "    with trace.get_tracer('mine').start_as_current_span('predict'):\n"
    "        return 1 / len(data)\n"
}


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def test_a_request_is_a_span_of_the_callers_trace_with_run_and_the_scripts_own_below(
    serve: Serve, receiver: Receiver
) -> None:
    server = serve(SCRIPT, **receiver.variables, SERVICE_NAME="churn")
    server.ask("GET", "/")  # no traffic
    answer = server.score("x", traceparent=f"00-{TRACE}-{PARENT}-01", x_request_id="r1")
    assert answer.json == 1
    spans = receiver.take(3)
    request, run, predict = spans["POST /score"], spans["run"], spans["predict"]
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    assert request.parent_span_id.hex() == PARENT
    assert run.parent_span_id == request.span_id
    assert predict.parent_span_id == run.span_id
    assert request.kind == request.SPAN_KIND_SERVER
    found = attributes(request)
    assert found["http.request.method"] == "POST"
    assert found["http.route"] == found["url.path"] == "/score"
    assert found["http.response.status_code"] == 200
    assert found["server.address"] == "127.0.0.1"


def test_what_fails_is_an_error_with_the_exception_at_run(serve: Serve, receiver: Receiver) -> None:
    server = serve(SCRIPT, **receiver.variables)
    assert server.score("").status == 502
    spans = receiver.take(3)
    assert spans["POST /score"].status.code == spans["POST /score"].status.STATUS_CODE_ERROR
    assert attributes(spans["POST /score"])["error.type"] == "502"
    (event,) = spans["run"].events
    assert attributes(event)["exception.type"] == "ZeroDivisionError"


def test_asynchronous_scripts_too(serve: Serve, receiver: Receiver) -> None:
    script = SCRIPT["score.py"].replace("def run", "async def run")
    serve({"score.py": script}, **receiver.variables).score("x")
    spans = receiver.take(3)
    assert spans["predict"].parent_span_id == spans["run"].span_id


def test_a_batch_is_one_run_below_the_first_request_and_linked_to_the_others(
    serve: Serve, receiver: Receiver
) -> None:
    variables = {"ESTIVA_BATCH_MAX_SIZE": "2", "ESTIVA_BATCH_MAX_WAIT_MS": "600000"}
    script = "def init(): pass\ndef run(data): return data\n"
    server = serve({"score.py": script}, **receiver.variables, **variables)
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(lambda body: server.score(body).json, "12")) == ["1", "2"]
    spans = [receiver.received.get(timeout=SECONDS)[1] for _ in range(3)]
    (run,) = (span for span in spans if span.name == "run")
    requests = {span.span_id for span in spans if span.name == "POST /score"}
    assert {run.parent_span_id, *(link.span_id for link in run.links)} == requests


def test_the_end_of_the_server_loses_no_span(serve: Serve, receiver: Receiver) -> None:
    variables = {**receiver.variables, "OTEL_BSP_SCHEDULE_DELAY": "600000", "SERVICE_NAME": "churn"}
    server = serve(SCRIPT, **variables, WORKER_COUNT="2", WORKER_PRELOAD="true")
    server.score("x")
    assert server.stop() == 0
    assert {receiver.received.get(timeout=SECONDS)[0] for _ in range(3)} == {"churn"}


def test_a_provider_that_the_script_made_is_kept(serve: Serve, receiver: Receiver) -> None:
    script = (
        "from opentelemetry import trace\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor\n"
        "def init():\n"
        "    provider = TracerProvider()\n"
        "    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))\n"
        "    trace.set_tracer_provider(provider)\n"
        "def run(data): return data\n"
    )
    server = serve({"score.py": script}, **receiver.variables)
    server.score("x")
    server.log.wait_for('"name": "POST /score"')
    assert receiver.received.empty()


def test_nothing_is_imported_when_no_exporter_is_configured(serve: Serve) -> None:
    script = (
        "import sys\ndef init(): pass\ndef run(data): return [n for n in sys.modules if 'telemetry' in n]\n"
    )
    found = serve({"score.py": script}).score("").json
    assert found == ["estiva_server.telemetry"]


def test_a_missing_exporter_is_said_and_the_service_works(serve: Serve) -> None:
    script = "def init(): pass\ndef run(data): return data\n"
    server = serve({"score.py": script}, OTEL_TRACES_EXPORTER="carrier_pigeon")
    assert server.score("x").json == "x"
    server.log.wait_for(
        "requests are not traced: no package has the exporter carrier_pigeon. Add opentelemetry-sdk"
    )


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "x"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "x"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "x", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_when_traces_are_wanted(variables: dict[str, str], wanted: bool) -> None:
    assert is_wanted(variables) is wanted
