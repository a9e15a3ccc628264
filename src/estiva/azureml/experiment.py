"""azureml.core.experiment: runs by name, as far as registering a model from one needs them."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from estiva.azureml import storage
from estiva.azureml.run import Run
from estiva.errors import UserErrorException

if TYPE_CHECKING:
    from estiva.azureml.workspace import Workspace

_NAME = re.compile(r"[a-zA-Z0-9][\w-]{0,254}")


class Experiment:
    def __init__(self, workspace: Workspace, name: str, **kwargs: Any) -> None:  # noqa: ARG002
        if not _NAME.fullmatch(name):
            raise UserErrorException(
                f"{name!r} cannot be the name of an experiment: use letters, digits, hyphens and underscores."
            )
        self.workspace = workspace
        self.name = name

    @staticmethod
    def list(workspace: Workspace) -> builtins.list[Experiment]:
        found = storage.folder(workspace.name, "experiments")
        return [Experiment(workspace, path.name) for path in sorted(found.iterdir()) if path.is_dir()]

    def start_logging(
        self,
        *args: Any,  # noqa: ARG002
        outputs: str | None = None,
        snapshot_directory: str | None = None,  # noqa: ARG002  code is kept by your version control
        display_name: str | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> Run:
        """A run that this script logs to; the files below `outputs` belong to it when it completes."""
        return Run.start(self, outputs=outputs, display_name=display_name)

    def get_runs(self, type: str | None = None, tags: Any = None, **kwargs: Any) -> Iterator[Run]:  # noqa: A002, ARG002
        """Newest first; `tags` is a tag, or a dict of tags and values."""
        return Run.list(self, tags=tags)

    def submit(self, *args: Any, **kwargs: Any) -> Run:  # noqa: ARG002
        raise UserErrorException(
            "Experiments are not submitted here: Estiva serves models, and trains none. Run the training "
            "script by itself, with experiment.start_logging() for what it logs.",
            code="NotAvailable",
        )
