"""The Python SDK: a client of the control server's API, in the words of Azure ML SDK v1.

Its public names are those of `estiva`; modules here are imported when a name of theirs is first used.
"""
