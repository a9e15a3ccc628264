"""etcd, API server, controllers, scheduler and DNS, in the hub's network namespace."""

from __future__ import annotations

import subprocess

from tests.cluster import accounts, processes
from tests.cluster.layout import DATA, DOMAIN, HUB, HUB_ADDRESS, RUN, SERVICE_NETWORK
from tests.cluster.programs import build, which

_ETCD = "http://127.0.0.1:2379"
_UP_SECONDS = 120.0
_DNS_ACCESS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: coredns}
rules:
- {apiGroups: [""], resources: [endpoints, services, pods, namespaces], verbs: [list, watch]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: coredns}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: coredns}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: coredns}]
"""
_PROGRAMS = ("coredns", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")


def up() -> None:
    _start_etcd()
    _start_api_server()
    _start_controllers()
    _start_dns()


def down() -> None:
    for name in _PROGRAMS:
        processes.stop(name)


def kubectl(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs kubectl as the cluster's administrator."""
    program, access = build("kubernetes"), accounts.kubeconfig("admin")
    command = [str(program), "kubectl", f"--kubeconfig={access}", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=60)


def _start_etcd() -> None:
    # A test cluster is thrown away: it need not wait for the disk.
    command = [which("etcd") or "etcd", f"--data-dir={DATA / 'etcd'}", "--unsafe-no-fsync"]
    command += [f"--listen-client-urls={_ETCD}", f"--advertise-client-urls={_ETCD}"]
    command += ["--listen-peer-urls=http://127.0.0.1:2380"]
    processes.start("etcd", command, namespace=HUB)


def _start_api_server() -> None:
    accounts.create()
    if not accounts.SIGNING_KEY.exists():
        key = ["openssl", "genrsa", "-out", str(accounts.SIGNING_KEY), "2048"]
        subprocess.run(key, check=True, capture_output=True)
    _start(
        "kube-apiserver",
        f"--etcd-servers={_ETCD}",
        f"--bind-address={HUB_ADDRESS}",
        f"--advertise-address={HUB_ADDRESS}",
        f"--cert-dir={accounts.CERTIFICATES}",
        f"--token-auth-file={accounts.TOKENS}",
        "--authorization-mode=Node,RBAC",
        "--kubelet-preferred-address-types=InternalIP",  # nodes have no names that resolve
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        "--service-account-issuer=https://estiva.test",
        f"--service-account-key-file={accounts.SIGNING_KEY}",
        f"--service-account-signing-key-file={accounts.SIGNING_KEY}",
    )
    processes.wait("The API server is ready", _ready, seconds=_UP_SECONDS, log_of="kube-apiserver")


def _ready() -> bool:
    certificate = accounts.CERTIFICATES / "apiserver.crt"
    return certificate.exists() and kubectl("get", "--raw=/readyz").stdout == "ok"


def _start_controllers() -> None:
    certificates = f"--cert-dir={RUN / 'pki'}"
    for name in ("kube-controller-manager", "kube-scheduler"):
        flags = [f"--kubeconfig={accounts.kubeconfig(f'system:{name}')}", "--leader-elect=false"]
        flags += ["--bind-address=127.0.0.1", certificates]
        if name == "kube-controller-manager":
            flags += [f"--service-account-private-key-file={accounts.SIGNING_KEY}"]
            flags += [f"--root-ca-file={accounts.CERTIFICATES / 'apiserver.crt'}"]
            flags += ["--use-service-account-credentials"]
        _start(name, *flags)


def _start_dns() -> None:
    applied = kubectl("apply", "-f", "-", stdin=_DNS_ACCESS)
    if applied.returncode != 0:
        raise processes.ClusterError(f"CoreDNS got no access: {applied.stderr}")
    corefile = RUN / "Corefile"
    corefile.write_text(
        f"""{DOMAIN}:53 in-addr.arpa:53 {{
    bind {HUB_ADDRESS}
    errors
    cache 5
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {accounts.kubeconfig("coredns")}
        ttl 5
    }}
}}
"""
    )
    processes.start("coredns", [str(build("coredns")), "-conf", str(corefile)], namespace=HUB)
    processes.wait("CoreDNS serves", _serves_names, seconds=_UP_SECONDS, log_of="coredns")


def _serves_names() -> bool:
    """It says its version once it listens, and has read what there is."""
    return "CoreDNS-" in processes.log("coredns").read_text()


def _start(name: str, *flags: str) -> None:
    processes.start(name, [str(build("kubernetes")), name, *flags], namespace=HUB)
