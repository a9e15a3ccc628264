from __future__ import annotations

import json

from estiva.records import CondaPackage, Lock
from estiva.specification import bill_of_materials

CONDA = CondaPackage(
    name="python",
    version="3.11.7",
    build="h1_0",
    subdir="linux-64",
    url="https://example.org/linux-64/python-3.11.7-h1_0.conda",
    sha256="c" * 64,
)
REQUIREMENTS = f"""\
--index-url https://packages.example.org/simple
numpy==1.26.4 \\
    --hash=sha256:{"b" * 64} \\
    --hash=sha256:{"a" * 64}
thing @ git+https://example.org/thing@0123abc
"""
LOCK = Lock(python="", python_version="3.11.7", platform="linux", requirements=REQUIREMENTS, conda=(CONDA,))


def test_every_package_is_in_it_with_hashes_and_package_url() -> None:
    document = json.loads(bill_of_materials("mine", "3", LOCK))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    assert document["metadata"]["component"] == {"type": "application", "name": "mine", "version": "3"}
    assert [each["purl"] for each in document["components"]] == [
        "pkg:conda/python@3.11.7?build=h1_0&subdir=linux-64",
        "pkg:pypi/numpy@1.26.4",
        "pkg:pypi/thing?download_url=git%2Bhttps%3A%2F%2Fexample.org%2Fthing%400123abc",
    ]
    assert document["components"][1]["hashes"] == [
        {"alg": "SHA-256", "content": letter * 64} for letter in "ab"
    ]
    assert "version" not in document["components"][2]
    assert len({each["bom-ref"] for each in document["components"]}) == 3


def test_the_same_lock_gives_the_same_text() -> None:
    assert bill_of_materials("mine", "3", LOCK) == bill_of_materials("mine", "3", LOCK)
