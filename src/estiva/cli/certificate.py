"""`estiva certificate`, and the options that say which certificate a port has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from estiva.cli.output import Format, Output, show_fields
from estiva.errors import UserErrorException

app = typer.Typer(name="certificate", help="TLS certificates, for trying.", no_args_is_help=True)

CertificateFile = Annotated[
    Path | None,
    typer.Option(
        "--tls-cert",
        help="PEM file with the certificate, and those that lead to its authority.",
        exists=True,
        dir_okay=False,
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--tls-key", help="PEM file with its key, unprotected.", exists=True, dir_okay=False),
]
HostName = Annotated[
    str | None, typer.Option("--tls-name", help="Host name in the URL; else the first of the certificate.")
]


def tls(certificate: Path | None, key: Path | None, name: str | None) -> dict[str, Any]:
    """Parameters of deploy_configuration; none if no file is given."""
    if (certificate is None) != (key is None) or (name is not None and certificate is None):
        raise UserErrorException(
            "--tls-cert and --tls-key go together, and --tls-name with them. `estiva certificate create` "
            "makes both files for trying.",
            code="CertificateMissing",
        )
    if certificate is None:
        return {}
    return {"ssl_cert_pem_file": certificate, "ssl_key_pem_file": key, "ssl_cname": name}


@app.command(epilog="Example:  estiva certificate create localhost")
def create(
    name: Annotated[str, typer.Argument(help="Host name or address, as callers write it in their URL.")],
    days: Annotated[int, typer.Option(help="How long it is good for.", min=1)] = 90,
    folder: Annotated[Path, typer.Option(help="Where to write NAME.crt and NAME.key.")] = Path(),
    overwrite: Annotated[bool, typer.Option(help="Replace files of these names.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Make a certificate that no authority signed. Callers must be told to trust it."""
    from estiva.sdk.self_signed import self_signed

    files = folder / f"{name}.crt", folder / f"{name}.key"
    taken = [str(file) for file in files if file.exists()]
    if taken and not overwrite:
        raise UserErrorException(
            f"{' and '.join(taken)} exist already. Replace them with --overwrite, or choose "
            "another --folder.",
            code="FileExists",
        )
    for file, text in zip(files, self_signed(name, days), strict=True):
        _write(file, text)
    show_fields({"certificate": files[0], "key": files[1], "days": days}, output)
    if output is Format.TABLE:
        typer.echo(f"Callers trust it with:  curl --cacert {files[0]}")


def _write(file: Path, text: str) -> None:
    """Readable by its owner alone: one of the two is a private key."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
