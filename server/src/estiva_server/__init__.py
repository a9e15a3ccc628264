"""The scoring server of Estiva. It runs inside the user's environment: importing it is free."""

__version__ = "0.1.0"
