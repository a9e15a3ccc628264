"""Whether requests are traced: if OTEL_* variables name an exporter. Else nothing is imported or done."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from estiva_server.settings import Settings

if TYPE_CHECKING:
    from estiva_server.tracing import Tracing

log = logging.getLogger("estiva_server")

_EXPORTER = "OTEL_TRACES_EXPORTER"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def is_wanted(variables: Mapping[str, str]) -> bool:
    """Whether an exporter of traces is configured, and not switched off."""
    if variables.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = variables.get(_EXPORTER, "")
    return exporter != "none" and any(variables.get(name) for name in (_EXPORTER, *_ENDPOINTS))


def open_tracing(settings: Settings, variables: Mapping[str, str]) -> Tracing | None:
    """None if it is not wanted, or cannot be; the log says why then. Call it after init(), in the worker.

    A script whose init() set up a tracer provider keeps it.
    """
    if not is_wanted(variables):
        return None
    try:
        from estiva_server.tracing import Tracing, find_provider

        return Tracing(find_provider(settings, variables))
    except ImportError as error:
        log.warning(
            "An OTEL_* variable names an exporter of traces, but requests are not traced: %s. Add "
            "opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http to the environment's pip packages.",
            error,
        )
        return None
