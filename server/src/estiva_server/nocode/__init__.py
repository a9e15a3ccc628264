"""Score scripts for models that need none of their own: one for each framework, named in contract.py.

Each is a script like a user's: init() loads the model of AZUREML_MODEL_DIR, run(data) answers a request. The
frameworks are packages of the user's environment, and are imported when init() is called.
"""

from __future__ import annotations

from pathlib import Path


def script_path(entry_script: str) -> Path | None:
    """The file of one of these scripts, by its module's name; None for a script of the user's."""
    package, _, name = entry_script.rpartition(".")
    return Path(__file__).parent / f"{name}.py" if package == __name__ else None
