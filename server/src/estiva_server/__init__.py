"""The scoring server of Estiva. It runs inside the user's environment: importing it is free.

Score scripts may import from here: rawhttp, AMLRequest, AMLResponse.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing itself would be an import
if TYPE_CHECKING:
    from estiva_server.raw import AMLRequest, AMLResponse, rawhttp

__all__ = ["AMLRequest", "AMLResponse", "__version__", "rawhttp"]


def __getattr__(name: str) -> object:
    """Imported at their first use: they need werkzeug."""
    if name in ("AMLRequest", "AMLResponse", "rawhttp"):
        from importlib import import_module

        return getattr(import_module("estiva_server.raw"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
