"""A lock as a CycloneDX document: the bill of materials that scanners for vulnerabilities read. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from estiva.records import Lock
from estiva.specification.locked import locked_packages


def bill_of_materials(name: str, version: str, lock: Lock) -> str:
    """JSON of CycloneDX 1.5; the same lock gives the same text."""
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {"type": "application", "name": name, "version": version},
            "properties": [
                {"name": "estiva:platform", "value": lock.platform},
                {"name": "estiva:python", "value": lock.python_version},
            ],
        },
        "components": [*_conda_components(lock), *_pip_components(lock)],
    }
    return json.dumps(document, indent=2) + "\n"


def _conda_components(lock: Lock) -> Iterator[dict[str, Any]]:
    for package in lock.conda:
        where = f"build={quote(package.build)}&subdir={quote(package.subdir)}"
        purl = f"pkg:conda/{quote(package.name)}@{quote(package.version)}?{where}"
        yield _component(package.name, package.version, purl, [f"sha256:{package.sha256}"])


def _pip_components(lock: Lock) -> Iterator[dict[str, Any]]:
    without_conda = lock.model_copy(update={"conda": ()})
    for package in locked_packages(without_conda).values():
        from_url = "://" in package.version
        version = "" if from_url else package.version
        purl = f"pkg:pypi/{package.name}" + (f"@{quote(version)}" if version else "")
        if from_url:
            purl += f"?download_url={quote(package.version, safe='')}"
        yield _component(package.name, version, purl, sorted(package.hashes))


def _component(name: str, version: str, purl: str, hashes: list[str]) -> dict[str, Any]:
    split = (each.partition(":") for each in hashes)
    found = [{"alg": f"SHA-{kind.removeprefix('sha')}", "content": text} for kind, _, text in split]
    component = {"type": "library", "bom-ref": purl, "name": name, "purl": purl}
    return component | ({"version": version} if version else {}) | ({"hashes": found} if found else {})
