"""azureml.core.model: the SDK's model, and what scripts for SDK v1 read of one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from estiva.azureml import kinds, notices, storage
from estiva.azureml.inference import InferenceConfig
from estiva.azureml.webservice import Webservice
from estiva.errors import WebserviceException
from estiva.sdk import inference as sdk_inference
from estiva.sdk import model as sdk
from estiva.sdk.local import LocalWebserviceDeploymentConfiguration
from estiva.sdk.package import ModelPackage
from estiva.sdk.resources import ResourceConfiguration

if TYPE_CHECKING:
    from typing_extensions import Self

    from estiva.azureml.profile import ModelProfile
    from estiva.azureml.run import Run
    from estiva.azureml.workspace import Workspace
    from estiva.sdk.arguments import Labels
    from estiva.sdk.configuration import WebserviceDeploymentConfiguration
    from estiva.sdk.environment import Environment

__all__ = ["InferenceConfig", "Model", "ModelPackage"]

MODELS_DIR = "azureml-models"


class Model(sdk.Model):
    """A registered model."""

    workspace: Workspace

    @classmethod
    def register(
        cls,
        workspace: Workspace,  # type: ignore[override]
        model_path: str | os.PathLike[str],
        model_name: str,
        tags: Labels | None = None,
        properties: Labels | None = None,
        description: str | None = None,
        datasets: Any = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        child_paths: Sequence[str | os.PathLike[str]] | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: ResourceConfiguration | None = None,
        *,
        _experiment_name: str | None = None,
        _run_id: str | None = None,
    ) -> Self:
        """The path may be anywhere; SDK v1 took paths below the current folder only."""
        model = super().register(
            workspace,
            model_path,
            model_name,
            tags,
            properties,
            description,
            model_framework=model_framework,
            model_framework_version=model_framework_version,
            child_paths=child_paths,
            _experiment_name=_experiment_name,
            _run_id=_run_id,
        )
        model._keep(  # noqa: SLF001
            datasets=None if datasets is None else _named(datasets),
            sample_input_dataset=_name(sample_input_dataset),
            sample_output_dataset=_name(sample_output_dataset),
            resource_configuration=resource_configuration and resource_configuration.serialize(),
        )
        return model

    # --- what SDK v1 keeps of a model ------------------------------------------------------------------

    def _documents(self) -> storage.Documents:
        return storage.Documents(self.workspace.name, "models", self.name)

    def _kept(self) -> dict[str, Any]:
        return self._documents().read(str(self.version)) or {}

    def _keep(self, **details: Any) -> None:
        given = {name: value for name, value in details.items() if value is not None}
        if given:
            self._documents().write(str(self.version), {**self._kept(), **given})

    @property
    def datasets(self) -> dict[str, Any]:
        """Purpose -> the datasets that the model was registered with, those that still exist."""
        from estiva.azureml.dataset import Dataset

        known = Dataset.get_all(self.workspace)
        kept: dict[str, list[str]] = self._kept().get("datasets", {})
        return {purpose: [known[name] for name in names if name in known] for purpose, names in kept.items()}

    @property
    def sample_input_dataset(self) -> Any:
        return self._dataset("sample_input_dataset")

    @property
    def sample_output_dataset(self) -> Any:
        return self._dataset("sample_output_dataset")

    def _dataset(self, role: str) -> Any:
        from estiva.azureml.dataset import Dataset

        name = self._kept().get(role)
        return None if name is None else Dataset.get_all(self.workspace).get(name)

    @property
    def resource_configuration(self) -> ResourceConfiguration | None:
        kept = self._kept().get("resource_configuration")
        return None if kept is None else ResourceConfiguration.deserialize(kept)

    @property
    def run(self) -> Run | None:
        """The run that the model was registered from, if there is one."""
        from estiva.azureml.run import find

        return None if self.run_id is None else find(self.workspace, self.run_id)

    @property
    def parent_id(self) -> str | None:
        return None

    @property
    def derived_model_ids(self) -> list[str]:
        return []

    def add_dataset_references(self, datasets: Sequence[tuple[str, Any]]) -> None:
        kept: dict[str, list[str]] = self._kept().get("datasets", {})
        for purpose, names in _named(datasets).items():
            kept[purpose] = [*kept.get(purpose, []), *names]
        self._keep(datasets=kept)

    def update(
        self,
        tags: Labels | None = None,
        description: str | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: ResourceConfiguration | None = None,
    ) -> None:
        super().update(tags, description)
        self._keep(
            sample_input_dataset=_name(sample_input_dataset),
            sample_output_dataset=_name(sample_output_dataset),
            resource_configuration=resource_configuration and resource_configuration.serialize(),
        )

    def serialize(self) -> dict[str, Any]:
        kept = self._kept()
        return {
            **super().serialize(),
            "datasets": kept.get("datasets", {}),
            "resourceConfiguration": kept.get("resource_configuration"),
            "sampleInputDatasetId": kept.get("sample_input_dataset"),
            "sampleOutputDatasetId": kept.get("sample_output_dataset"),
        }

    @classmethod
    def deserialize(cls, workspace: Workspace, model_payload: dict[str, Any]) -> Self:
        """The registered model that `serialize()` described."""
        return cls(workspace, id=model_payload["id"])

    def get_sas_urls(self) -> dict[str, str]:
        raise WebserviceException(
            "Files of a model have no URLs here: model.download(folder) writes them.", code="NotAvailable"
        )

    # --- deploying -----------------------------------------------------------------------------------

    @staticmethod
    def deploy(
        workspace: Workspace,  # type: ignore[override]
        name: str,
        models: Sequence[Any],
        inference_config: sdk_inference.InferenceConfig | None = None,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        deployment_target: Any = None,
        overwrite: bool = False,
        show_output: bool = False,
        *,
        environment: Environment | None = None,
    ) -> Webservice:
        """As in the SDK. An AksCompute or "local" as target; without target and configuration an ACI service.

        A Local service of the same name is replaced, as it always was.
        """
        config = kinds.configuration(workspace, deployment_config, deployment_target)
        local = isinstance(config, LocalWebserviceDeploymentConfiguration)
        service = sdk.Model.deploy(
            workspace,
            name,
            models,
            inference_config,
            config,
            overwrite=overwrite or local,
            show_output=show_output,
            environment=environment,
        )
        assert isinstance(service, Webservice)
        service.keep(kinds.given(config))
        return service

    @staticmethod
    def print_configuration(
        models: Sequence[Any],
        inference_config: InferenceConfig | None,
        deployment_config: WebserviceDeploymentConfiguration | None,
        deployment_target: Any,
    ) -> None:
        print(f"Models: {', '.join(_shown(model) for model in models) or 'none'}")
        print(f"Inference configuration: {inference_config!r}")
        if deployment_config is not None:
            deployment_config.print_deploy_configuration()
        if deployment_target is not None:
            print(f"Deployment target: {getattr(deployment_target, 'name', deployment_target)}")

    @staticmethod
    def profile(
        workspace: Workspace,
        profile_name: str,
        models: Sequence[Any],
        inference_config: InferenceConfig,
        input_dataset: Any,
        cpu: float | None = None,
        memory_in_gb: float | None = None,
        description: str | None = None,
    ) -> ModelProfile:
        """Measures latency, CPU and memory while the service answers every row of the dataset."""
        from estiva.azureml.profile import profile

        return profile(
            workspace, profile_name, models, inference_config, input_dataset, cpu, memory_in_gb, description
        )


def _shown(model: Any) -> str:
    return str(model.id) if isinstance(model, sdk.Model) else str(model)


def _name(dataset: Any) -> str | None:
    """Datasets are kept by name: one that was not registered has none."""
    if dataset is None:
        return None
    if not getattr(dataset, "name", None):
        notices.tell("A dataset that was given with a model is not registered, so it is not kept with it.")
        return None
    return str(dataset.name)


def _named(datasets: Sequence[tuple[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for purpose, dataset in datasets:
        name = _name(dataset)
        if name is not None:
            found.setdefault(str(purpose), []).append(name)
    return found


def of_id(workspace: Workspace, model_id: str) -> Model | None:
    """None for a model that was deployed by its path, or has been deleted."""
    try:
        return Model(workspace, id=model_id)
    except WebserviceException as error:
        if error.code != "ModelNotFound":
            raise
        return None
