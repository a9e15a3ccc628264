"""Files with secrets in them."""

from __future__ import annotations

import os
from pathlib import Path


def write_secret(file: Path, content: bytes) -> None:
    """Whole or not at all, and never readable by anybody but its owner."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.new")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)
