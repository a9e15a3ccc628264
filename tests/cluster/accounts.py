"""Who may use the API: a token and a kubeconfig for each user of the control plane."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from tests.cluster.layout import API, KUBECONFIG, NODES, RUN

_GROUPS = {
    "admin": "system:masters",
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
    "coredns": "",
    **{f"system:node:{node.name}": "system:nodes" for node in NODES},
}
TOKENS = RUN / "tokens.csv"
CERTIFICATES = RUN / "pki"
SIGNING_KEY = RUN / "service-accounts.pem"


def create() -> None:
    """Makes a token for each user, once; the API server reads the file when it starts."""
    if TOKENS.exists():
        return
    lines = [f'{secrets.token_hex(16)},{user},{user},"{group}"' for user, group in _GROUPS.items()]
    TOKENS.touch(mode=0o600)
    TOKENS.write_text("\n".join(lines) + "\n")


def kubeconfig(user: str) -> Path:
    """The file with which the user reaches the API server, whose certificate must be there already."""
    path = KUBECONFIG if user == "admin" else RUN / f"{user.replace(':', '-')}.kubeconfig"
    token = next(line.split(",")[0] for line in TOKENS.read_text().splitlines() if line.split(",")[1] == user)
    name = "estiva-test"
    configuration = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": API,
                    "certificate-authority": str(CERTIFICATES / "apiserver.crt"),
                },
            }
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(configuration, indent=2))
    return path
