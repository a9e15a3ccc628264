"""The scoring server of Estiva. It runs inside the user's environment: importing this package must stay free."""

__version__ = "0.1.0"
