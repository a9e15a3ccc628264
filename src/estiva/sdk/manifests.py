"""Manifests of a packaged image: for clusters that are run from files, by hand or by GitOps."""

from __future__ import annotations

import re
from collections.abc import Sequence

from estiva import manifests
from estiva.errors import WebserviceException
from estiva.records import AutoscalePolicy, ServiceSettings, Workload
from estiva.sdk.kubernetes import GB, KubernetesWebserviceDeploymentConfiguration

_ANNOTATION = re.compile(r"estiva/[A-Za-z0-9]([\w.-]{,61}[A-Za-z0-9])?")
_NAME = re.compile(r"[a-z]([a-z0-9-]{,61}[a-z0-9])?")

_COMMENT = """\
{name}: {image}
Made by `estiva manifests`; apply it with `kubectl apply -f FILE`.
Within the cluster the service is http://{host}/score. No gateway is in front of it: callers need no key,
nothing waits for a free replica, and the cluster's own autoscaler goes by CPU."""


def service_manifests(
    name: str,
    image: str,
    deployment_config: KubernetesWebserviceDeploymentConfiguration | None = None,
    *,
    secrets: Sequence[str] = (),
    pull_secrets: Sequence[str] = (),
) -> str:
    """YAML that `kubectl apply` accepts: the service `name`, with pods of an image that `package` made.

    `image` is where the cluster's nodes pull it. `secrets` and `pull_secrets` are names of Secrets that the
    cluster has: of the first, each entry is a variable of the score script; with the second, the image is
    pulled. Raises WebserviceException for what cannot be in manifests.
    """
    config = deployment_config or KubernetesWebserviceDeploymentConfiguration()
    workload = Workload(
        name=_checked(name),
        namespace=config.namespace,
        image=image,
        replicas=config.num_replicas or 1,
        autoscale=_autoscale(config),
        settings=_settings(config),
        variables=config.environment_variables,
        secrets=_secrets(config, secrets),
        pull_secrets=tuple(pull_secrets),
        annotations=_annotations(config),
    )
    host = f"{name}.{config.namespace}" if config.namespace else name
    return manifests.to_yaml(
        manifests.manifests(workload), _COMMENT.format(name=name, image=image, host=host)
    )


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise WebserviceException(
            f"{name!r} cannot be a name in a cluster: use 1 to 63 lower-case letters, digits and hyphens, "
            "beginning with a letter and ending with a letter or digit.",
            code="NameInvalid",
        )
    return name


def _autoscale(config: KubernetesWebserviceDeploymentConfiguration) -> AutoscalePolicy | None:
    wanted = config.scaling()
    if wanted is None or not wanted.autoscale:
        return None
    if wanted.min_replicas == 0:
        raise WebserviceException(
            "A cluster's own autoscaler keeps at least one replica: set autoscale_min_replicas to 1 or more.",
            code="ScaleToZero",
        )
    return AutoscalePolicy(**wanted.bounds)


def _settings(config: KubernetesWebserviceDeploymentConfiguration) -> ServiceSettings:
    memory = config.memory_gb_limit
    return config.settings().model_copy(
        update={
            "cpu_limit": config.cpu_cores_limit,
            "memory_limit": None if memory is None else round(memory * GB),
            "gpus": config.gpu_cores or 0,
        }
    )


def _secrets(config: KubernetesWebserviceDeploymentConfiguration, names: Sequence[str]) -> tuple[str, ...]:
    if config.secrets:
        raise WebserviceException(
            f"The values of {', '.join(sorted(config.secrets))} would stand in the manifests for all to "
            "read. Put them into a Secret of the cluster, `kubectl create secret generic NAME "
            "--from-env-file=FILE`, and name that: secrets=[NAME], or --secret NAME.",
            code="SecretsInManifests",
        )
    return tuple(names)


def _annotations(config: KubernetesWebserviceDeploymentConfiguration) -> dict[str, str]:
    """Description and tags; what Kubernetes would not take for an annotation's name is left out."""
    told = {"description": config.description or "", **(config.tags or {})}
    named = {f"estiva/{name}": str(value) for name, value in told.items() if value != ""}
    return {name: value for name, value in named.items() if _ANNOTATION.fullmatch(name)}
