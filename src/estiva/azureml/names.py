"""Which names the modules of azureml have, and which module of ours each comes from.

A home that begins with a dot is in this package. A name that is not here is none of the deployment part.
"""

from __future__ import annotations

Homes = dict[str, tuple[str, ...]]

_WEBSERVICES: Homes = {
    ".kinds": ("AciWebservice", "AksEndpoint", "AksWebservice", "LocalWebservice", "Webservice"),
}
_RESOURCES = (
    *("AutoScaler", "ContainerResourceRequirements", "DataCollection", "LivenessProbeRequirements"),
)
_COMPUTE: Homes = {
    ".compute": ("AksCompute", "ComputeTarget", "ComputeTargetException", "KubernetesCompute"),
}
_AKS_COMPUTE: Homes = {
    ".compute": ("AksCompute", "ComputeTarget", "ComputeTargetException"),
    ".compute_configuration": (
        *("AksAttachConfiguration", "AksProvisioningConfiguration", "AksUpdateConfiguration"),
        *("SslConfiguration", "SystemService"),
    ),
}
_COMPUTE_CONFIGURATION = (
    *("ComputeTargetAttachConfiguration", "ComputeTargetProvisioningConfiguration"),
    "ComputeTargetUpdateConfiguration",
)
_IMAGES: Homes = {".image": ("ContainerImage", "Image")}
_EXCEPTIONS: Homes = {
    ".exceptions": (
        *("ActivityCanceledException", "ActivityFailedException", "AuthenticationException"),
        *("AzureMLException", "ComputeTargetException", "DatasetTimestampMissingError"),
        *("DiscoveryUrlNotFoundException", "ExperimentExecutionException", "ModelNotFoundException"),
        *("ModelPathNotFoundException", "ParallelRunException", "ProjectSystemException"),
        *("RunConfigurationException", "RunEnvironmentException", "SnapshotException", "TrainingException"),
        *("UserErrorException", "WebserviceException", "WorkspaceException"),
        "WorkspacePrivateEndpointException",
    )
}
_ENVIRONMENTS = (
    *("CondaDependencies", "ContainerRegistry", "DEFAULT_CPU_IMAGE", "DEFAULT_GPU_IMAGE"),
    *("DockerBuildContext", "DockerEnvironment", "DockerImageDetails", "DockerImagePlatform"),
    *("DockerSection", "Environment", "EnvironmentReference", "ImageBuildDetails"),
    *("PythonEnvironment", "PythonSection"),
    *("RCranPackage", "RGitHubPackage", "RSection", "SparkEnvironment", "SparkPackage", "SparkSection"),
)

MODULES: dict[str, Homes] = {
    "azureml": {},
    "azureml._common": {},
    "azureml._common.exceptions": {".exceptions": ("AzureMLException",)},
    "azureml.contrib": {},
    "azureml.contrib.services": {},
    "azureml.contrib.services.aml_request": {"estiva_server.raw": ("AMLRequest", "rawhttp")},
    "azureml.contrib.services.aml_response": {"estiva_server.raw": ("AMLResponse",)},
    "azureml.core": {
        ".compute": ("ComputeTarget",),
        ".dataset": ("Dataset",),
        ".datastore": ("Datastore",),
        ".environment": ("ContainerRegistry", "Environment"),
        ".experiment": ("Experiment",),
        ".image": ("Image",),
        ".kinds": ("Webservice",),
        ".model": ("Model",),
        ".run": ("Run",),
        ".version": ("VERSION", "__version__"),
        ".workspace": ("Workspace",),
    },
    "azureml.core.authentication": {
        ".authentication": (
            *("AbstractAuthentication", "ArmTokenAuthentication", "Audience", "AzureCliAuthentication"),
            *("AzureMLTokenAuthentication", "InteractiveLoginAuthentication", "MsiAuthentication"),
            *("ServicePrincipalAuthentication", "TokenAuthentication"),
        ),
        ".exceptions": ("AuthenticationException", "UserErrorException"),
    },
    "azureml.core.compute": _COMPUTE,
    "azureml.core.compute.aks": _AKS_COMPUTE,
    "azureml.core.compute.compute": {
        ".compute": ("ComputeTarget", "ComputeTargetException"),
        ".compute_configuration": _COMPUTE_CONFIGURATION,
    },
    "azureml.core.compute.kubernetescompute": {
        ".compute": ("KubernetesCompute",),
        ".compute_configuration": ("KubernetesComputeAttachConfiguration", "KubernetesComputeStatus"),
    },
    "azureml.core.compute_target": {
        ".compute_target": (
            *("AbstractComputeTarget", "ComputeTarget", "ComputeTargetException", "LocalTarget"),
            *("attach_legacy_compute_target", "is_compute_target_prepared", "prepare_compute_target"),
            "remove_legacy_compute_target",
        )
    },
    "azureml.core.conda_dependencies": {
        ".conda_dependencies": (
            *("CPU", "CondaDependencies", "DEFAULT_SDK_ORIGIN", "GPU", "PYTHON_DEFAULT_VERSION"),
        )
    },
    "azureml.core.container_registry": {
        ".environment": ("ContainerRegistry",),
        ".sections": ("RegistryIdentity",),
    },
    "azureml.core.dataset": {".dataset": ("Dataset",)},
    "azureml.core.datastore": {".datastore": ("Datastore",)},
    "azureml.core.environment": {".environment": _ENVIRONMENTS},
    "azureml.core.experiment": {".experiment": ("Experiment",)},
    "azureml.core.image": _IMAGES,
    "azureml.core.image.container": {".image": ("ContainerImage", "ContainerImageConfig")},
    "azureml.core.image.image": {".image": ("Image",)},
    "azureml.core.model": {
        ".exceptions": ("ModelNotFoundException", "WebserviceException"),
        ".model": ("InferenceConfig", "Model", "ModelPackage"),
        ".workspace": ("Workspace",),
    },
    "azureml.core.profile": {".profile": ("ModelProfile",)},
    "azureml.core.resource_configuration": {"estiva.sdk.resources": ("ResourceConfiguration",)},
    "azureml.core.run": {".run": ("Run",)},
    "azureml.core.runconfig": {
        ".environment": ("CondaDependencies", "DEFAULT_CPU_IMAGE", "DEFAULT_GPU_IMAGE")
    },
    "azureml.core.webservice": _WEBSERVICES,
    "azureml.core.webservice.aci": {
        ".aci": ("AciServiceDeploymentConfiguration", "AciWebservice"),
        "estiva.sdk.resources": (
            *("ContainerResourceRequirements", "EncryptionProperties", "VnetConfiguration"),
        ),
    },
    "azureml.core.webservice.aks": {
        ".aks": ("AksServiceAccessToken", "AksServiceDeploymentConfiguration", "AksWebservice"),
        ".aks_endpoint": ("AksEndpoint", "AksEndpointDeploymentConfiguration"),
        "estiva.sdk.resources": _RESOURCES,
    },
    "azureml.core.webservice.container_resource_requirements": {
        "estiva.sdk.resources": ("ContainerResourceRequirements",)
    },
    "azureml.core.webservice.local": {
        ".local": ("LocalWebservice", "LocalWebserviceDeploymentConfiguration"),
    },
    "azureml.core.webservice.unknown_webservice": {".webservice": ("UnknownWebservice",)},
    "azureml.core.webservice.webservice": {
        ".configuration": ("WebserviceDeploymentConfiguration",),
        ".exceptions": ("WebserviceException",),
        ".aks": ("WebServiceAccessToken",),
        ".kinds": ("Webservice",),
        "estiva.sdk.resources": _RESOURCES,
    },
    "azureml.core.workspace": {".exceptions": ("WorkspaceException",), ".workspace": ("Workspace",)},
    "azureml.data": {".dataset": ("FileDataset", "TabularDataset")},
    "azureml.data.datapath": {".datastore": ("DataPath",)},
    "azureml.data.dataset_factory": {".dataset": ("FileFactory", "TabularFactory")},
    "azureml.data.dataset_type_definitions": {".dataset": ("PromoteHeadersBehavior",)},
    "azureml.data.file_dataset": {".dataset": ("FileDataset",)},
    "azureml.data.tabular_dataset": {".dataset": ("TabularDataset",)},
    "azureml.exceptions": _EXCEPTIONS,
    "azureml.exceptions._azureml_exception": _EXCEPTIONS,
    "azureml.monitoring": {"estiva_server.collecting": ("ModelDataCollector",)},
}
