"""Stand-in for azureml.contrib.services.aml_request."""

from estiva_server.raw import AMLRequest, rawhttp

__all__ = ["AMLRequest", "rawhttp"]
