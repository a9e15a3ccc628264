"""Scripts written for azureml.core, run unchanged: its names, over the SDK of Estiva.

    python -m estiva.azureml script.py [arguments]
    python -m estiva.azureml -m module [arguments]
    %load_ext estiva.azureml                          in a notebook
    import estiva.azureml; estiva.azureml.install()   at the top of a script

There are no modules named azureml on disk: a finder makes them from the table in names.py, and a class is
imported when its name is first used.
"""

from __future__ import annotations

__all__ = ["install", "load_ipython_extension"]


def install() -> None:
    """Makes `import azureml.core` find Estiva in this program; idempotent.

    Where Azure ML's own packages are installed too, Estiva's names win from here on, with a notice; raises
    RunEnvironmentException if these have been imported already.
    """
    from estiva.azureml import exceptions, finder

    finder.install()
    exceptions.show_structure()


def load_ipython_extension(_shell: object) -> None:
    """What `%load_ext estiva.azureml` calls."""
    install()
