from __future__ import annotations

from pathlib import Path

from estiva.control.secret_files import write_secret


def test_a_secret_is_its_owners_alone_whatever_was_there(tmp_path: Path) -> None:
    file = tmp_path / "new" / "secret"
    write_secret(file, b"one")
    file.with_name("secret.new").write_bytes(b"cut short")
    file.chmod(0o644)
    write_secret(file, b"two")
    assert file.read_bytes() == b"two"
    assert [(path.name, path.stat().st_mode & 0o777) for path in file.parent.iterdir()] == [("secret", 0o600)]
    assert file.parent.stat().st_mode & 0o777 == 0o700
