"""OpenTelemetry: a server span for each request to score, and one below it around run().

The context is the script's while run() runs, so that spans of its own nest. opentelemetry is the
environment's, and imported here alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, Span, SpanKind, StatusCode

from estiva_server import __version__, contract
from estiva_server.app import Application
from estiva_server.exchange import Answer, Exchange, Response
from estiva_server.inputs import Scope
from estiva_server.scoreboard import Scoreboard
from estiva_server.scoring import Score, Scorer
from estiva_server.script import Headers, Script
from estiva_server.settings import Settings

_CONTEXT = "estiva.context"
"""In a request's scope: the context that has its span."""
_LINKS = "estiva-links"
"""In the context of a batch: links to the spans of its other requests."""


class Tracing:
    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("estiva_server", __version__)

    def scorer(self, script: Script, settings: Settings, scoreboard: Scoreboard) -> Scorer:
        return TracedScorer(script, settings, scoreboard, self._tracer)

    def wrap(self, application: Application) -> TracedApplication:
        return TracedApplication(application, self._tracer)


class TracedApplication:
    """Gives each request to score its span, which ends with the answer."""

    def __init__(self, application: Application, tracer: trace.Tracer) -> None:
        self._application = application
        self._tracer = tracer

    def __call__(self, scope: Scope, answer: Answer) -> None:
        if not self._application.scores(scope["PATH_INFO"]):
            self._application(scope, answer)
            return
        span = self._tracer.start_span(
            f"{scope['REQUEST_METHOD']} {scope['PATH_INFO']}",
            context=propagate.extract(_carrier(scope)),
            kind=SpanKind.SERVER,
            attributes=_attributes(scope),
        )

        def end(response: Response) -> None:
            _describe(span, response)
            try:
                answer(response)
            finally:
                if span.is_recording():  # a later answer is ignored
                    span.end()

        self._application({**scope, _CONTEXT: trace.set_span_in_context(span)}, end)


class TracedScorer(Scorer):
    def __init__(
        self, script: Script, settings: Settings, scoreboard: Scoreboard, tracer: trace.Tracer
    ) -> None:
        super().__init__(script, settings, scoreboard)
        self._tracer = tracer
        self._run = self._run_traced

    def score(self, exchange: Exchange, data: Any) -> None:
        token = context.attach(exchange.scope[_CONTEXT])
        try:
            super().score(exchange, data)
        finally:
            context.detach(token)

    def score_together(self, scores: Sequence[Score]) -> None:
        """One run() has one parent, the first request; the others are linked."""
        first, *others = (score.exchange.scope[_CONTEXT] for score in scores)
        links = [Link(trace.get_current_span(other).get_span_context()) for other in others]
        token = context.attach(context.set_value(_LINKS, links, first))
        try:
            super().score_together(scores)
        finally:
            context.detach(token)

    def _run_traced(self, data: Any, headers: Headers) -> Any:
        links: Any = context.get_value(_LINKS) or []
        with self._tracer.start_as_current_span("run", links=links):
            return self._script.run(data, headers)


def find_provider(settings: Settings, variables: Mapping[str, str]) -> TracerProvider:
    """The script's own, or one as the OTEL_* variables say. Raises ImportError for a missing exporter."""
    known = trace.get_tracer_provider()
    if isinstance(known, TracerProvider):
        return known
    named = "OTEL_SERVICE_NAME" in variables or "service.name=" in variables.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    resource = Resource.create({} if named else {"service.name": settings.service_name})
    provider = TracerProvider(resource=resource)
    for name in (variables.get("OTEL_TRACES_EXPORTER") or "otlp").split(","):
        provider.add_span_processor(BatchSpanProcessor(_load_exporter(name.strip(), variables)()))
    trace.set_tracer_provider(provider)
    return provider


def _load_exporter(name: str, variables: Mapping[str, str]) -> Any:
    if name == "otlp":
        protocols = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
        protocol = next((variables[one] for one in protocols if variables.get(one)), "http/protobuf")
        name = "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
    found = list(entry_points(group="opentelemetry_traces_exporter", name=name))
    if not found:
        raise ImportError(f"no package has the exporter {name}")
    return found[0].load()


def _carrier(scope: Scope) -> dict[str, str]:
    """The request's headers as propagators look for them: "traceparent"."""
    names = (key for key in scope if key.startswith("HTTP_"))
    return {key.removeprefix("HTTP_").replace("_", "-").lower(): scope[key] for key in names}


def _attributes(scope: Scope) -> dict[str, str | int]:
    """As OpenTelemetry's conventions for HTTP servers name them."""
    found: dict[str, str | int] = {
        "http.request.method": scope["REQUEST_METHOD"],
        "http.route": scope["PATH_INFO"],
        "url.path": scope["PATH_INFO"],
        "url.scheme": scope.get("wsgi.url_scheme", "http"),
        "url.query": scope.get("QUERY_STRING", ""),
        "user_agent.original": scope.get("HTTP_USER_AGENT", ""),
        "server.address": scope.get("HTTP_HOST", "").rpartition(":")[0] or scope.get("HTTP_HOST", ""),
        "network.protocol.version": scope.get("SERVER_PROTOCOL", "").partition("/")[2],
    }
    return {name: value for name, value in found.items() if value}


def _describe(span: Span, response: Response) -> None:
    """What the answer says of the request."""
    span.set_attribute("http.response.status_code", response.status)
    ids = [value for name, value in response.headers if name == contract.REQUEST_ID_HEADER]
    span.set_attribute(f"http.response.header.{contract.REQUEST_ID_HEADER}", ids)
    if response.status >= 500:
        span.set_attribute("error.type", str(response.status))
        span.set_status(StatusCode.ERROR)
