from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from estiva.sdk.self_signed import self_signed


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "a" * 60 + ".example.com"])
def test_strict_callers_accept_it_for_its_name(tmp_path: Path, name: str) -> None:
    file = tmp_path / "host.crt"
    file.write_text(self_signed(name)[0])
    kind = "-verify_ip" if name[-1] == "1" else "-verify_hostname"
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(file)]
    done = subprocess.run([*command, kind, name, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
