"""azureml.core.compute_target: what training runs were prepared with. There are none here."""

from __future__ import annotations

from typing import Any

from estiva.azureml.compute import ComputeTarget
from estiva.errors import ComputeTargetException

__all__ = [
    "AbstractComputeTarget",
    "ComputeTarget",
    "ComputeTargetException",
    "LocalTarget",
    "attach_legacy_compute_target",
    "is_compute_target_prepared",
    "prepare_compute_target",
    "remove_legacy_compute_target",
]


class AbstractComputeTarget:
    def __init__(self, compute_target_type: str, name: str) -> None:
        self.type = compute_target_type
        self.name = name

    @staticmethod
    def deserialize_from_dict(compute_target_name: str, compute_target_dict: dict[str, Any]) -> Any:
        if compute_target_dict.get("type") == "local":
            return LocalTarget()
        return AbstractComputeTarget(str(compute_target_dict.get("type")), compute_target_name)


class LocalTarget(AbstractComputeTarget):
    def __init__(self) -> None:
        super().__init__("local", "local")


def prepare_compute_target(experiment: Any, source_directory: str, run_config: Any) -> Any:  # noqa: ARG001
    raise _refused()


def is_compute_target_prepared(experiment: Any, source_directory: str, run_config: Any) -> Any:  # noqa: ARG001
    raise _refused()


def attach_legacy_compute_target(experiment: Any, source_directory: str, compute_target: Any) -> Any:  # noqa: ARG001
    raise _refused()


def remove_legacy_compute_target(
    experiment: Any,  # noqa: ARG001
    source_directory: str,  # noqa: ARG001
    compute_target_name: str,  # noqa: ARG001
) -> Any:
    raise _refused()


def _refused() -> ComputeTargetException:
    return ComputeTargetException(
        "Nothing is trained here, so no target is prepared for it: a target of a deployment is made with "
        "ComputeTarget.create(workspace, name, configuration).",
        code="NotAvailable",
    )
