"""Stand-in for azureml_inference_server_http.api.aml_request."""

from estiva_server.raw import AMLRequest, rawhttp

__all__ = ["AMLRequest", "rawhttp"]
