from __future__ import annotations

import json
from pathlib import Path

import pytest

from estiva.cli.certificate import tls
from estiva.errors import UserErrorException
from tests.cli.conftest import Run


def test_a_certificate_for_trying_secures_the_port_of_a_workspace(run: Run, tmp_path: Path) -> None:
    folder = ["--folder", str(tmp_path)]
    said = run("certificate", "create", "localhost", *folder)
    files = tmp_path / "localhost.crt", tmp_path / "localhost.key"
    assert f"curl --cacert {files[0]}" in said
    assert files[1].stat().st_mode & 0o777 == 0o600
    with pytest.raises(UserErrorException, match="exist already"):
        run("certificate", "create", "localhost", *folder)
    run("certificate", "create", "localhost", *folder, "--overwrite", "--days", "20")
    options = ["--tls-cert", str(files[0]), "--tls-key", str(files[1])]
    try:
        run("workspace", "create", "lab")
        assert "for localhost, ends in 19 days" in run("workspace", "tls", "lab", *options)
        assert json.loads(run("workspace", "tls", "lab", "--off", "-o", "json"))["certificate"] == "none"
    finally:
        run("down")


def test_the_options_go_together(tmp_path: Path) -> None:
    assert tls(None, None, None) == {}
    for options in ((tmp_path, None, None), (None, tmp_path, None), (None, None, "localhost")):
        with pytest.raises(UserErrorException, match="--tls-cert and --tls-key go together"):
            tls(*options)
