"""What a bug report needs of one service, as a ZIP archive with its secrets masked."""

from __future__ import annotations

import io
import json
import platform
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions

from estiva import __version__
from estiva.control import evidence
from estiva.control.examination import examine
from estiva.control.stages import Stages
from estiva.findings import render
from estiva.gateway import binary
from estiva.masking import Mask
from estiva.records import Generation, Record, ServiceKey

_LOG_LINES = 20_000
_CONTROL_LOG_BYTES = 1_000_000
_README = """\
What Estiva knows of one service, for a bug report. Secrets that are known, and what looks like one, are
replaced by ***; look through it before you send it on.

findings.txt       what is wrong, as `estiva diagnose` says it
diagnosis.json     the same, with all evidence
service.json       the service and its generations: steps, times, settings
logs/N.log         the log of generation N
control.log        the end of the control server's log
versions.json      releases of Estiva, Python, the system and the packages
"""


def bundle(stages: Stages, key: ServiceKey) -> bytes:
    """The archive. Raises WebserviceException if there is no such service."""
    generations = stages.store.generations(key)
    mask = Mask([known for one in generations for known in evidence.secrets(stages, key, one.spec)])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", _README)
        for name, text in _texts(stages, key, generations):
            file.writestr(name, mask.text(text))
        for name, content in _documents(stages, key, generations):
            file.writestr(name, json.dumps(mask.content(content), indent=2))
    return archive.getvalue()


def _texts(stages: Stages, key: ServiceKey, generations: list[Generation]) -> Iterator[tuple[str, str]]:
    yield "findings.txt", render(examine(stages, key).findings)
    yield "control.log", _end_of_control_log(stages)
    for generation in generations:
        lines = stages.fleet.logs(key, generation=generation.number, tail=_LOG_LINES)
        yield f"logs/{generation.number}.log", "".join(f"{line}\n" for line in lines)


def _documents(
    stages: Stages, key: ServiceKey, generations: list[Generation]
) -> Iterator[tuple[str, object]]:
    service = {
        "service": _plain(stages.store.service(key)),
        "generations": [_plain(one) for one in generations],
    }
    yield "service.json", service | {"replicas": _plain(stages.fleet.observe(key))}
    yield "diagnosis.json", _plain(examine(stages, key))
    yield "versions.json", _versions()


def _plain(record: Record) -> object:
    return record.model_dump(mode="json")


def _versions() -> dict[str, object]:
    packages = sorted(f"{one.metadata['Name']}=={one.version}" for one in distributions())
    return {
        "estiva": __version__,
        "python": sys.version,
        "system": platform.platform(),
        "gateway": binary.explain(),
        "packages": packages,
    }


def _end_of_control_log(stages: Stages) -> str:
    try:
        with stages.home.control_log.open("rb") as file:
            file.seek(0, io.SEEK_END)
            file.seek(max(0, file.tell() - _CONTROL_LOG_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
