"""Stand-in for azureml.contrib.services.aml_response."""

from estiva_server.raw import AMLResponse

__all__ = ["AMLResponse"]
