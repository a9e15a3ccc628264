"""Stand-in for azureml.monitoring."""

from estiva_server.collecting import ModelDataCollector

__all__ = ["ModelDataCollector"]
