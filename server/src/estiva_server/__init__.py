"""The scoring server of Estiva. It runs inside the user's environment: importing this package costs nothing."""

__version__ = "0.1.0"
