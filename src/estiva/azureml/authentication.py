"""azureml.core.authentication: accepted and kept. Who owns the home folder may do everything in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any

from estiva.azureml import notices
from estiva.errors import AuthenticationException


class Audience(Enum):
    ARM = "ARM"
    AZUREML = "AZUREML"


class AbstractAuthentication:
    """Logs in nowhere; what asks for a token of the cloud is refused."""

    def __init__(self, cloud: str | None = None) -> None:
        self.cloud = cloud
        notices.tell(
            f"{type(self).__name__}: kept, without effect here: there is no login. The folder ESTIVA_HOME "
            "belongs to its owner, and callers of a service send its keys."
        )

    def get_authentication_header(self) -> dict[str, str]:
        raise _no_token()

    def get_token(self, *scopes: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        raise _no_token()

    def signed_session(self, session: Any = None) -> Any:  # noqa: ARG002
        raise _no_token()


def _no_token() -> AuthenticationException:
    return AuthenticationException(
        "There are no tokens of a cloud here. For calls of a service use service.get_keys() or "
        "service.get_token(), or service.run(), which sends them by itself."
    )


class InteractiveLoginAuthentication(AbstractAuthentication):
    def __init__(self, force: bool = False, tenant_id: str | None = None, cloud: str | None = None) -> None:
        super().__init__(cloud)
        self.force = force
        self.tenant_id = tenant_id


class AzureCliAuthentication(AbstractAuthentication):
    def __init__(self, cloud: str | None = None) -> None:
        super().__init__(cloud)


class ArmTokenAuthentication(AbstractAuthentication):
    def __init__(self, arm_access_token: str, cloud: str = "None") -> None:  # noqa: ARG002  not kept
        super().__init__(cloud)

    def update_arm_access_token(self, new_arm_access_token: str) -> None:
        """Accepted, and not kept."""


class ServicePrincipalAuthentication(AbstractAuthentication):
    """The password is not kept."""

    def __init__(
        self,
        tenant_id: str,
        service_principal_id: str,
        service_principal_password: str,  # noqa: ARG002
        cloud: str = "AzureCloud",
        _enable_caching: bool = True,
    ) -> None:
        super().__init__(cloud)
        self.tenant_id = tenant_id
        self.service_principal_id = service_principal_id


class MsiAuthentication(AbstractAuthentication):
    def __init__(self, cloud: str | None = None, **kwargs: Any) -> None:  # noqa: ARG002
        super().__init__(cloud)


class TokenAuthentication(AbstractAuthentication):
    def __init__(self, get_token_for_audience: Callable[[Audience], str], cloud: str | None = None) -> None:
        super().__init__(cloud)
        self._get_token_for_audience = get_token_for_audience

    def get_token(self, audience: Audience = Audience.ARM) -> str:
        """What the script's own function answers."""
        return self._get_token_for_audience(audience)


class AzureMLTokenAuthentication(AbstractAuthentication):
    EXPIRATION_THRESHOLD_IN_SECONDS = 95
    REFRESH_INTERVAL_IN_SECONDS = 30

    def __init__(
        self,
        azureml_access_token: str,
        expiry_time: datetime | None = None,
        host: str | None = None,
        subscription_id: str | None = None,
        resource_group_name: str | None = None,
        workspace_name: str | None = None,
        experiment_name: str | None = None,
        run_id: str | None = None,
        user_email: str | None = None,
        experiment_id: str | None = None,
        cloud: str = "AzureCloud",
    ) -> None:
        super().__init__(cloud)
        self._scope = (host, subscription_id, resource_group_name, workspace_name, experiment_name)
        self._run = (run_id, user_email, experiment_id)
        self.set_token(azureml_access_token, expiry_time)

    @classmethod
    def create(
        cls,
        azureml_access_token: str,
        expiry_time: datetime,
        host: str,
        subscription_id: str,
        resource_group_name: str,
        workspace_name: str,
        experiment_name: str,
        run_id: str,
        user_email: str | None = None,
        experiment_id: str | None = None,
    ) -> AzureMLTokenAuthentication:
        return cls(
            azureml_access_token,
            expiry_time,
            host,
            subscription_id,
            resource_group_name,
            workspace_name,
            experiment_name,
            run_id,
            user_email,
            experiment_id,
        )

    @property
    def token(self) -> str:
        return self._token

    @property
    def expiry_time(self) -> datetime | None:
        return self._expiry_time

    def set_token(self, token: str, expiry_time: datetime | None) -> None:
        self._token = token
        self._expiry_time = expiry_time
