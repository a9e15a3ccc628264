"""The control server: owns the workspaces of one `ESTIVA_HOME`, reconciles what runs with what is wanted.

It is a program (`python -m estiva.control`), never imported by the SDK or the CLI, which talk to its API.
Reading order: stages (what it composes), intake (what it accepts), deployment (one generation, step by
step), reconcile (the loop), api (what clients see), daemon (the process).
"""
