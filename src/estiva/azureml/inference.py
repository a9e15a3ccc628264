"""azureml.core.model.InferenceConfig."""

from __future__ import annotations

from typing import Any, NoReturn

from estiva.errors import UserErrorException
from estiva.sdk import inference as sdk


class InferenceConfig(sdk.InferenceConfig):
    """Entry script, source directory and environment."""

    def validation_script_content(self) -> None:
        """Raises UserErrorException, with the line, for a script that is no Python."""
        sdk.check_syntax(self.entry_path)

    def build_create_payload(self, workspace: Any, name: str, model_ids: Any) -> NoReturn:  # noqa: ARG002
        raise _refused("build_create_payload")

    def build_profile_payload(
        self,
        profile_name: str,  # noqa: ARG002
        input_data: Any = None,  # noqa: ARG002
        workspace: Any = None,  # noqa: ARG002
        models: Any = None,  # noqa: ARG002
        dataset_id: Any = None,  # noqa: ARG002
        container_resource_requirements: Any = None,  # noqa: ARG002
        description: Any = None,  # noqa: ARG002
    ) -> NoReturn:
        raise _refused("build_profile_payload")


def _refused(name: str) -> UserErrorException:
    return UserErrorException(
        f"InferenceConfig.{name} makes what Azure's service takes; Estiva takes the configuration itself: "
        "Model.deploy(workspace, name, models, inference_config) or Model.profile.",
        code="NotAvailable",
    )
