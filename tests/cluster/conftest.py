"""The workspace of the end-to-end tests, which ends its control server."""

from __future__ import annotations

from tests.e2e.conftest import workspace

__all__ = ["workspace"]
