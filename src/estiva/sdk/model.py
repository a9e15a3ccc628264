"""Registered models: register, find, download, label, delete; and deploy them."""

from __future__ import annotations

import builtins
import getpass
import hashlib
import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estiva import records
from estiva.errors import UserErrorException, WebserviceException
from estiva.messages import ModelChange, ModelReference, ModelRegistration
from estiva.sdk.arguments import Criteria, Labels, children, existing_path, labels, parse_id, queries
from estiva.sdk.connection import address, connect
from estiva.sdk.html import table
from estiva.sdk.output import ByteProgress, size
from estiva.sdk.workspace import Workspace

if TYPE_CHECKING:
    from typing_extensions import Self

    from estiva.sdk.configuration import WebserviceDeploymentConfiguration
    from estiva.sdk.environment import Environment
    from estiva.sdk.inference import InferenceConfig
    from estiva.sdk.package import ModelPackage
    from estiva.sdk.webservice import Webservice

_PAGE_COUNTS = range(20, 256)


class Model:
    """A registered model; without a version, the newest.

    Raises WebserviceException whose message starts with "ModelNotFound:" if there is none.
    """

    class Framework:
        CUSTOM = "Custom"
        TENSORFLOW = "TensorFlow"
        SCIKITLEARN = "ScikitLearn"
        ONNX = "Onnx"
        TFKERAS = "TfKeras"
        PYTORCH = "PyTorch"
        MULTI = "Multi"
        XGBOOST = "XGBoost"
        LIGHTGBM = "LightGBM"
        MLFLOW = "MLflow"

    def __init__(
        self,
        workspace: Workspace,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  the name that scripts use
        tags: Criteria | None = None,
        properties: Criteria | None = None,
        version: int | None = None,
        run_id: str | None = None,
        model_framework: str | None = None,
        expand: bool = True,  # noqa: ARG002
        *,
        _record: records.Model | None = None,
        **_private: Any,
    ) -> None:
        self.workspace = workspace
        self._record = _record or _find(
            workspace, name, id, version, tags or (), properties or (), run_id, model_framework
        )

    # --- registering and finding ---------------------------------------------------------------------

    @classmethod
    def register(
        cls,
        workspace: Workspace,
        model_path: str | os.PathLike[str],
        model_name: str,
        tags: Labels | None = None,
        properties: Labels | None = None,
        description: str | None = None,
        datasets: Any = None,  # noqa: ARG003
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        child_paths: Sequence[str | os.PathLike[str]] | None = None,
        sample_input_dataset: Any = None,  # noqa: ARG003
        sample_output_dataset: Any = None,  # noqa: ARG003
        resource_configuration: Any = None,  # noqa: ARG003
        *,
        _experiment_name: str | None = None,
        _run_id: str | None = None,
    ) -> Self:
        """Registers a file or folder as the next version of `model_name`. The file is read once, and copied.

        Raises MissingModelPath (a WebserviceException and a FileNotFoundError) for a path that is not there,
        WebserviceException for a name or labels that cannot be accepted.
        """
        if model_framework_version and not model_framework:
            raise WebserviceException(
                "model_framework_version was given without model_framework: give both or neither.",
                code="FrameworkMissing",
            )
        path = existing_path(model_path)
        wanted = ModelRegistration(
            name=model_name,
            path=str(path),
            child_paths=children(path, child_paths),
            tags=labels(tags, "tags"),
            properties=labels(properties, "properties"),
            description=description,
            framework=model_framework,
            framework_version=model_framework_version,
            experiment_name=_experiment_name,
            run_id=_run_id,
            created_by=getpass.getuser(),
        )
        print(f"Registering model {model_name}")
        with ByteProgress(f"Registering {model_name}") as progress:
            found = connect().progress(
                address("workspaces", workspace.name, "models"),
                body=wanted.model_dump(mode="json"),
                show=progress.show,
            )
        return cls(workspace, _record=records.Model.model_validate(found))

    @classmethod
    def list(
        cls,
        workspace: Workspace,
        name: str | None = None,
        tags: Criteria | None = None,
        properties: Criteria | None = None,
        run_id: str | None = None,
        latest: bool = False,
        dataset_id: str | None = None,  # noqa: ARG003
        expand: bool = True,  # noqa: ARG003
        page_count: int = 255,
        model_framework: str | None = None,
    ) -> builtins.list[Self]:
        """Newest first; all criteria must match. `latest` keeps the newest version of each name."""
        if page_count not in _PAGE_COUNTS:
            raise UserErrorException("page_count must be from 20 to 255.", code="PageCount")
        for given in (tags, properties):
            if given is not None and not isinstance(given, list | tuple):
                raise UserErrorException("tags and properties are lists of 'key' or ['key', 'value'].")
        params = {
            "name": name,
            "tag": queries(tags or ()),
            "property": queries(properties or ()),
            "run_id": run_id,
            "framework": model_framework,
            "latest": latest,
        }
        given_params = {key: value for key, value in params.items() if value is not None}
        found = connect().request("GET", address("workspaces", workspace.name, "models"), params=given_params)
        return [cls(workspace, _record=records.Model.model_validate(item)) for item in found]

    @staticmethod
    def get_model_path(
        model_name: str, version: int | None = None, _workspace: Workspace | None = None
    ) -> str:
        """Where a model's files are: below `azureml-models` of the app root, downloaded to there if need be.

        A newer download is kept apart by its version; the answer is a path relative to the current folder.
        """
        from estiva.sdk.model_path import find_model_path

        return find_model_path(model_name, version, _workspace)

    def download(
        self, target_dir: str | os.PathLike[str] = ".", exist_ok: bool = False, exists_ok: bool | None = None
    ) -> str:
        """Writes the model's files below `target_dir`; the answer is the path that holds all of them."""
        if exists_ok is not None:
            raise WebserviceException("exists_ok is not a parameter any more: use exist_ok.", code="ExistsOk")
        target = Path(target_dir)
        files = self._record.tree.files
        present = [target / file.path for file in files if (target / file.path).exists()]
        if present and not exist_ok:
            raise WebserviceException(
                f"{present[0]} exists. Choose another target_dir, or pass exist_ok=True to replace it.",
                code="FileExists",
            )
        for file in files:
            self._download(file, target / file.path)
        for directory in self._record.tree.directories:
            (target / directory).mkdir(parents=True, exist_ok=True)
        return os.path.commonpath([target / file.path for file in files])

    def _download(self, file: records.File, target: Path) -> None:
        """Written beside its place and moved there whole, so that a broken download leaves nothing half."""
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        part = target.with_name(f".{target.name}.part")
        path = self._path + address("files", *file.path.split("/"))
        try:
            with connect().stream("GET", path) as response, part.open("wb") as output:
                for chunk in response.iter_bytes(1 << 20):
                    digest.update(chunk)
                    output.write(chunk)
            if digest.hexdigest() != file.sha256:
                raise WebserviceException(
                    f"{file.path} of model {self.id} is damaged in the registry: its content has another "
                    f"digest than was registered ({file.sha256[:12]}...). Register the model again.",
                    code="BlobDamaged",
                )
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    # --- what it is ----------------------------------------------------------------------------------

    @property
    def record(self) -> records.Model:
        """The model as the registry knows it."""
        return self._record

    @property
    def name(self) -> str:
        return self._record.name

    @property
    def version(self) -> int:
        return self._record.version

    @property
    def id(self) -> str:
        return self._record.id

    @property
    def description(self) -> str | None:
        return self._record.description

    @property
    def tags(self) -> dict[str, str]:
        return dict(self._record.tags)

    @property
    def properties(self) -> dict[str, str]:
        return dict(self._record.properties)

    @property
    def model_framework(self) -> str | None:
        return self._record.framework

    @property
    def model_framework_version(self) -> str | None:
        return self._record.framework_version

    @property
    def created_by(self) -> dict[str, str]:
        return {"userName": self._record.created_by}

    @property
    def created_time(self) -> datetime:
        return self._record.created_time

    @property
    def url(self) -> str:
        return f"aml://asset/{self._record.tree.digest}"

    @property
    def mime_type(self) -> str:
        return "application/json"

    @property
    def unpack(self) -> bool:
        return False

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return self._record.tree.size

    @property
    def files(self) -> builtins.list[str]:
        """Paths of the files, below the model's version folder."""
        return [file.path for file in self._record.tree.files]

    @property
    def experiment_name(self) -> str | None:
        return self._record.experiment_name

    @property
    def run_id(self) -> str | None:
        return self._record.run_id

    def serialize(self) -> dict[str, Any]:
        return {
            "createdTime": self.created_time.isoformat(),
            "createdBy": self.created_by,
            "description": self.description,
            "id": self.id,
            "mimeType": self.mime_type,
            "name": self.name,
            "framework": self.model_framework,
            "frameworkVersion": self.model_framework_version,
            "tags": self.tags,
            "properties": self.properties,
            "unpack": self.unpack,
            "url": self.url,
            "version": self.version,
            "experimentName": self.experiment_name,
            "runId": self.run_id,
            "runDetails": None,
            "datasets": [],
            "resourceConfiguration": None,
            "sampleInputDatasetId": None,
            "sampleOutputDatasetId": None,
        }

    def __repr__(self) -> str:
        return f"Model(name={self.name!r}, version={self.version}, tags={self.tags})"

    def _repr_html_(self) -> str:
        fields = {
            "version": self.version,
            "size": size(self.size),
            "framework": self.model_framework,
            "description": self.description,
            "tags": self.tags,
            "properties": self.properties,
            "files": self.files[:10],
        }
        return table(f"Model {self.id}", fields)

    # --- changing it ---------------------------------------------------------------------------------

    def update(
        self,
        tags: Labels | None = None,
        description: str | None = None,
        sample_input_dataset: Any = None,  # noqa: ARG002
        sample_output_dataset: Any = None,  # noqa: ARG002
        resource_configuration: Any = None,  # noqa: ARG002
    ) -> None:
        """Replaces the tags, the description, or both."""
        self._change(
            ModelChange(tags=None if tags is None else labels(tags, "tags"), description=description)
        )

    def add_tags(self, tags: Labels) -> None:
        given = labels(tags, "tags")
        for key in given.keys() & self.tags.keys():
            print(f"Replacing tag {key}: {self.tags[key]} -> {given[key]}")
        self._change(ModelChange(tags={**self.tags, **given}))

    def remove_tags(self, tags: str | Sequence[str]) -> None:
        removed = {tags} if isinstance(tags, str) else set(tags)
        self._change(ModelChange(tags={key: value for key, value in self.tags.items() if key not in removed}))

    def add_properties(self, properties: Labels) -> None:
        """Adds properties; one that exists cannot be changed (WebserviceException lists them)."""
        self._change(ModelChange(add_properties=labels(properties, "properties")))

    def update_tags_properties(
        self,
        add_tags: Labels | None = None,
        remove_tags: str | Sequence[str] | None = None,
        add_properties: Labels | None = None,
    ) -> None:
        if add_tags:
            self.add_tags(add_tags)
        if remove_tags:
            self.remove_tags(remove_tags)
        if add_properties:
            self.add_properties(add_properties)

    def delete(self) -> None:
        """Deletes this version; refused with WebserviceException, naming them, while services use it."""
        connect().request("DELETE", self._path)

    def _change(self, change: ModelChange) -> None:
        found = connect().request("PATCH", self._path, body=change.model_dump(mode="json"))
        self._record = records.Model.model_validate(found)

    @property
    def _path(self) -> str:
        return address("workspaces", self.workspace.name, "models", self.name, str(self.version))

    # --- deploying -----------------------------------------------------------------------------------

    @staticmethod
    def package(
        workspace: Workspace,
        models: Sequence[Model | ModelReference | str | os.PathLike[str]],
        inference_config: InferenceConfig | None = None,
        generate_dockerfile: bool = False,
        image_name: str | None = None,
        image_label: str | None = None,
    ) -> ModelPackage:
        """The image of models and a score script, or its Dockerfile; returns at once."""
        from estiva.sdk.package import package

        return package(workspace, models, inference_config, generate_dockerfile, image_name, image_label)

    @staticmethod
    def deploy(
        workspace: Workspace,
        name: str,
        models: Sequence[Model | ModelReference | str | os.PathLike[str]],
        inference_config: InferenceConfig | None = None,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        deployment_target: Any = None,
        overwrite: bool = False,
        show_output: bool = False,
        *,
        environment: Environment | None = None,
    ) -> Webservice:
        """Deploys models (objects, "name:version" ids or paths) behind an entry script, as a service.

        Without an inference configuration, exactly one model of ScikitLearn, Onnx, XGBoost, LightGBM or
        MLflow, which Estiva serves by itself; UserErrorException otherwise. `environment` is for such a
        model; left out, one is chosen for it, with a notice.

        Returns at once; `wait_for_deployment(show_output=True)` shows the steps and raises
        WebserviceException, with the reason and what to do, if one fails.
        """
        from estiva.sdk.deploying import deploy

        return deploy(
            workspace,
            name,
            models,
            inference_config,
            deployment_config,
            deployment_target,
            overwrite,
            show_output,
            environment,
        )


def _find(
    workspace: Workspace,
    name: str | None,
    model_id: str | None,
    version: int | None,
    tags: Criteria,
    properties: Criteria,
    run_id: str | None,
    framework: str | None,
) -> records.Model:
    if model_id is not None:
        name, version = parse_id(model_id)
    if name is None:
        raise WebserviceException("Give the name or the id of the model.", code="ModelNameMissing")
    if not (tags or properties or run_id or framework):
        params = {} if version is None else {"version": version}
        found = connect().request("GET", address("workspaces", workspace.name, "models", name), params=params)
        return records.Model.model_validate(found)
    matching = Model.list(
        workspace, name=name, tags=tags, properties=properties, run_id=run_id, model_framework=framework
    )
    for model in matching:
        if version in (None, model.version):
            return model.record
    criteria = {"name": name, "version": version, "tags": tags, "properties": properties, "run_id": run_id}
    raise WebserviceException(
        f"ModelNotFound: no model matches {json.dumps(criteria, default=str)}.", code="ModelNotFound"
    )
