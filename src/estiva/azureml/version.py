"""The release whose surface is stood in for."""

VERSION = "1.61.0"
__version__ = VERSION
