"""Stand-in for azureml.core in score scripts."""

from .model import Model

VERSION = "1.61.0"
"""The release whose behaviour is stood in for."""
__version__ = VERSION

__all__ = ["VERSION", "Model", "__version__"]
