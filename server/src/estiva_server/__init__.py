"""The scoring server of Estiva. It runs inside the user's environment: importing it is free.

Score scripts may import from here: batched, rawhttp, AMLRequest, AMLResponse.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing itself would be an import
if TYPE_CHECKING:
    from estiva_server.batching import batched
    from estiva_server.raw import AMLRequest, AMLResponse, rawhttp

__all__ = ["AMLRequest", "AMLResponse", "__version__", "batched", "rawhttp"]

_MODULES = {"AMLRequest": "raw", "AMLResponse": "raw", "batched": "batching", "rawhttp": "raw"}


def __getattr__(name: str) -> object:
    """Imported at their first use: those of `raw` need werkzeug."""
    if name in _MODULES:
        from importlib import import_module

        return getattr(import_module(f"estiva_server.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
