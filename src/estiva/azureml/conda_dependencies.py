"""azureml.core.conda_dependencies."""

from __future__ import annotations

from estiva.sdk.conda_dependencies import CondaDependencies

__all__ = ["CPU", "DEFAULT_SDK_ORIGIN", "GPU", "PYTHON_DEFAULT_VERSION", "CondaDependencies"]

CPU = "cpu"
GPU = "gpu"
DEFAULT_SDK_ORIGIN = ""
PYTHON_DEFAULT_VERSION = None
"""An unspecified version means the running interpreter's."""
