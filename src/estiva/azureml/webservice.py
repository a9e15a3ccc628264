"""azureml.core.webservice: what services of every kind have in SDK v1 beyond the SDK's own."""

from __future__ import annotations

import builtins
import getpass
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from estiva.azureml import storage
from estiva.errors import WebserviceException
from estiva.messages import DeploymentRequest
from estiva.records import GenerationState
from estiva.sdk import webservice as sdk
from estiva.sdk.arguments import Labels, labels
from estiva.sdk.configuration import WebserviceDeploymentConfiguration
from estiva.sdk.connection import connect
from estiva.sdk.diagnosis import failure_code

if TYPE_CHECKING:
    from estiva.azureml.environment import Environment
    from estiva.azureml.image import ContainerImageConfig
    from estiva.azureml.workspace import Workspace


class Webservice(sdk.Webservice):
    """A service that exists; answers with the object of its kind. Missing: "WebserviceNotFound"."""

    workspace: Workspace

    # --- what it is ----------------------------------------------------------------------------------

    @property
    def error(self) -> Any:
        """Why the newest generation failed, in the shape of SDK v1; None if it did not."""
        desired = self._view.desired
        if desired.state is not GenerationState.FAILED:
            return None
        return {
            "code": failure_code(desired),
            "statusCode": 400,
            "message": self._failure(desired),
            "details": [{"code": found.code, "message": found.what} for found in desired.findings],
        }

    @property
    def models(self) -> builtins.list[Any]:
        """The registered models that serve; those that were deployed by path are not among them."""
        from estiva.azureml.model import of_id

        found = (of_id(self.workspace, model_id) for model_id in self.model_ids)
        return [model for model in found if model is not None]

    @property
    def environment(self) -> Environment:
        from estiva.azureml.environment import Environment

        spec = (self._view.serving or self._view.desired).spec
        found = Environment.from_specification(spec.environment)
        found.version = spec.environment_version
        return found

    @property
    def created_by(self) -> dict[str, str]:
        return {"userName": getpass.getuser()}

    @property
    def image(self) -> None:
        """None, as for all services of SDK v1 that were not made from a registered image."""

    @property
    def image_id(self) -> str | None:
        return None

    @property
    def image_digest(self) -> str | None:
        return None

    @property
    def enable_app_insights(self) -> bool | None:
        return bool(self._kept().get("enable_app_insights"))

    def serialize(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "description": self.description,
            "tags": self.tags,
            "properties": self.properties,
            "state": self.state,
            "createdTime": self.created_time.isoformat(),
            "updatedTime": self.updated_time.isoformat(),
            "error": self.error,
            "computeType": self.compute_type,
            "workspaceName": self.workspace.name,
            "imageId": self.image_id,
            "imageDigest": self.image_digest,
            "imageDetails": None,
            "scoringUri": self.scoring_uri,
            "createdBy": self.created_by,
            "models": [model.serialize() for model in self.models],
        }

    @classmethod
    def deserialize(cls, workspace: Workspace, webservice_payload: dict[str, Any]) -> Webservice:
        """The service that `serialize()` described, as it is now."""
        return cls(workspace, webservice_payload["name"])

    # --- what was given and has no place elsewhere ------------------------------------------------------

    def _kept(self) -> dict[str, Any]:
        """Parameters of the deployment as given; of this service, not of one of its name before."""
        kept = storage.Documents(self.workspace.name, "services").read(self.name) or {}
        same = kept.get("created") == self.created_time.isoformat()
        return dict(kept["given"]) if same else {}

    def keep(self, given: dict[str, Any]) -> None:
        """None leaves what was kept before."""
        told = {name: value for name, value in given.items() if value is not None}
        document = {"created": self.created_time.isoformat(), "given": {**self._kept(), **told}}
        storage.Documents(self.workspace.name, "services").write(self.name, document)

    # --- labels --------------------------------------------------------------------------------------

    def add_tags(self, tags: Labels) -> None:
        self._relabel(tags={**self.tags, **labels(tags, "tags")})

    def remove_tags(self, tags: str | Sequence[str]) -> None:
        removed = {tags} if isinstance(tags, str) else set(tags)
        self._relabel(tags={key: value for key, value in self.tags.items() if key not in removed})

    def add_properties(self, properties: Labels) -> None:
        self._relabel(properties=self._more_properties(properties))

    def _more_properties(self, properties: Labels | None) -> Labels | None:
        """Raises WebserviceException for those that are set already: they cannot be changed."""
        given = None if properties is None else labels(properties, "properties")
        taken = sorted(self.properties.keys() & (given or {}).keys())
        if taken:
            raise WebserviceException(
                f"Properties of the service {self.name!r} cannot be changed once they are set: "
                f"{','.join(taken)}. Use tags for what changes.",
                code="PropertiesImmutable",
            )
        return None if given is None else {**self.properties, **given}

    def _relabel(self, **changes: dict[str, str] | None) -> None:
        request = DeploymentRequest.model_validate({"interpreter": "", **changes})
        self._changed(connect().request("PATCH", self._path, body=request.body()), wait=False)

    # --- waiting -------------------------------------------------------------------------------------

    def wait_for_deployment(self, show_output: bool = False, timeout_sec: float | None = None) -> None:
        """As in the SDK, between the lines that SDK v1 prints."""
        if show_output:
            print("Tips: service.get_logs() has what the score script prints.\nRunning")
        try:
            super().wait_for_deployment(show_output, timeout_sec)
        except WebserviceException as error:
            if error.code == "WaitTimeout":
                raise
            raise self._reported(error) from error
        if show_output:
            print("Succeeded")
        print(f'{self.compute_type} service creation operation finished, operation "Succeeded"', flush=True)

    def _reported(self, error: WebserviceException) -> WebserviceException:
        """With the state and the error as JSON below the findings, where scripts look for them."""
        told = {"code": error.code, "statusCode": 400, "message": error.message.partition("\n")[0]}
        return WebserviceException(
            f"{error.message}\n\nCurrent service state: {self.state}\nOperation ID: {self._operation}\n"
            f"More information can be found using '.get_logs()'\nError:\n{json.dumps(told, indent=2)}",
            code=error.code,
            detail=error.detail,
        )

    @property
    def _operation(self) -> str:
        return f"{self.name}-{self._view.desired.number}"

    def replace(
        self,
        models: Sequence[Any] | None,
        inference_config: Any,
        deployment_config: WebserviceDeploymentConfiguration | None,
    ) -> None:
        """What is given takes the place of what is deployed, whatever the kind; the caller waits."""
        self._replace(models, inference_config, deployment_config)

    def _update(
        self, models: Sequence[Any] | None, inference_config: Any, configuration: dict[str, Any]
    ) -> None:
        """What `update` of the cloud's kinds does; the caller waits by itself."""
        given = {name: value for name, value in configuration.items() if value is not None}
        if not given and models is None and inference_config is None:
            raise WebserviceException(
                "Nothing to update: no part of the service was given.", code="NothingToUpdate"
            )
        if "properties" in given:
            given["properties"] = self._more_properties(given["properties"])
        config = self.deployment_configuration(**given) if given else None
        self._replace(models, inference_config, config)
        self.keep(given)

    # --- the older ways to deploy ----------------------------------------------------------------------

    @staticmethod
    def deploy(
        workspace: Workspace,
        name: str,
        model_paths: Sequence[str],
        image_config: ContainerImageConfig,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        deployment_target: Any = None,
        overwrite: bool = False,
    ) -> Webservice:
        """Model.deploy for models that are not registered."""
        return Webservice.deploy_from_model(
            workspace, name, model_paths, image_config, deployment_config, deployment_target, overwrite
        )

    @staticmethod
    def deploy_from_model(
        workspace: Workspace,
        name: str,
        models: Sequence[Any],
        image_config: ContainerImageConfig,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        deployment_target: Any = None,
        overwrite: bool = False,
    ) -> Webservice:
        """Model.deploy with an image configuration instead of an inference configuration."""
        from estiva.azureml.model import Model

        config = image_config.to_inference_config()
        return Model.deploy(workspace, name, models, config, deployment_config, deployment_target, overwrite)

    @staticmethod
    def deploy_from_image(
        workspace: Workspace,  # noqa: ARG004
        name: str,
        image: Any,  # noqa: ARG004
        deployment_config: WebserviceDeploymentConfiguration | None = None,  # noqa: ARG004
        deployment_target: Any = None,  # noqa: ARG004
        overwrite: bool = False,  # noqa: ARG004
    ) -> Webservice:
        raise WebserviceException(
            f"{name!r} cannot be deployed from an image: Estiva makes images by itself, for the service that "
            "needs one. Deploy its models with Model.deploy(workspace, name, models, inference_config).",
            code="NotAvailable",
        )

    @staticmethod
    def deploy_local_from_model(
        workspace: Workspace,
        name: str,
        models: Sequence[Any],
        image_config: ContainerImageConfig,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        wait: bool = False,
    ) -> Webservice:
        from estiva.sdk.local import LocalWebserviceDeploymentConfiguration

        config = deployment_config or LocalWebserviceDeploymentConfiguration()
        service = Webservice.deploy_from_model(workspace, name, models, image_config, config)
        if wait:
            service.wait_for_deployment()
        return service

    @staticmethod
    def check_for_existing_webservice(
        workspace: Workspace,
        name: str,
        overwrite: bool = False,
        request_func: Callable[..., Any] | None = None,  # noqa: ARG004
        check_func: Callable[..., Any] | None = None,  # noqa: ARG004
    ) -> None:
        """Raises WebserviceException if there is one of that name, unless it is to be replaced."""
        if not overwrite and name in workspace.webservices:
            raise WebserviceException(
                f"The service {name!r} exists already: choose another name, or deploy with overwrite=True.",
                code="ServiceExists",
            )


class UnknownWebservice(Webservice):
    """The name alone: Estiva knows the kind of every service."""

    def run(self, input: Any) -> NoReturn:  # noqa: A002
        raise NotImplementedError

    def update(self, *args: Any) -> NoReturn:
        raise NotImplementedError

    def get_token(self) -> NoReturn:
        raise NotImplementedError
