"""The script needs the network, and what it calls cannot be reached or does not answer well."""

from __future__ import annotations

import re

from estiva.diagnosis import tracebacks, wording
from estiva.records import Evidence, Finding, Traceback

_KINDS = {
    "URLError",
    "HTTPError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "ConnectTimeout",
    "ConnectError",
    "ReadTimeout",
    "MaxRetryError",
    "NewConnectionError",
    "NameResolutionError",
    "SSLError",
    "gaierror",
    "EndpointConnectionError",
    "ServiceRequestError",
    "LocalEntryNotFoundError",
}
_SAID = re.compile(
    r"Connection refused|Name or service not known|Temporary failure in name resolution|"
    r"nodename nor servname|Network is unreachable|No route to host|timed out|CERTIFICATE_VERIFY_FAILED|"
    r"We couldn't connect to",
)


def check(evidence: Evidence) -> Finding | None:
    chain = tracebacks.chain(evidence)
    raised = next((one for one in reversed(chain) if _is_of_network(one)), None)
    if raised is None:
        return None
    certificate = any("CERTIFICATE_VERIFY_FAILED" in one.message for one in chain)
    return Finding(
        code="NetworkFailed",
        title=wording.title(raised, "what the script calls over the network did not answer"),
        what=wording.exception(raised),
        why="The certificate is not trusted; behind a company proxy its CA must be named."
        if certificate
        else "A service that downloads when it starts fails, or is slow, whenever the other side is.",
        evidence=wording.quote(raised),
        todo=(
            *(
                ("Set SSL_CERT_FILE to the file with the CA certificates, in the service's variables.",)
                if certificate
                else ()
            ),
            (
                "Put what is downloaded into a registered model: `estiva model register NAME FILE`, and read "
                'it from os.environ["AZUREML_MODEL_DIR"].'
            ),
            "If it must be called: check the address, the network and the proxy variables, with a timeout.",
        ),
        certainty=0.95,
    )


def _is_of_network(raised: Traceback) -> bool:
    name = raised.exception.rsplit(".", 1)[-1]
    return name in _KINDS or (
        name in ("OSError", "TimeoutError", "timeout") and bool(_SAID.search(raised.message))
    )
