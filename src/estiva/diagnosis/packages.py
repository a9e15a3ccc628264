"""Which package provides a module, where their names differ, and what is in an environment."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PROVIDERS = {
    "Crypto": "pycryptodome",
    "Levenshtein": "python-Levenshtein",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "absl": "absl-py",
    "attr": "attrs",
    "azure.identity": "azure-identity",
    "azure.storage.blob": "azure-storage-blob",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "distutils": "setuptools",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "google.cloud.storage": "google-cloud-storage",
    "google.protobuf": "protobuf",
    "imblearn": "imbalanced-learn",
    "jwt": "PyJWT",
    "magic": "python-magic",
    "mpl_toolkits": "matplotlib",
    "nacl": "PyNaCl",
    "osgeo": "GDAL",
    "pkg_resources": "setuptools",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "sklearn_crfsuite": "sklearn-crfsuite",
    "slugify": "python-slugify",
    "snappy": "python-snappy",
    "speech_recognition": "SpeechRecognition",
    "umap": "umap-learn",
    "usb": "pyusb",
    "websocket": "websocket-client",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}


def provider(module: str) -> str | None:
    """The package that provides a module, if it is known under another name: sklearn.svm, scikit-learn."""
    parts = module.split(".")
    names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((_PROVIDERS[name] for name in names if name in _PROVIDERS), None)


def name_of(folder: str) -> str:
    """The package whose modules are in that folder of the environment: sklearn, scikit-learn."""
    return _PROVIDERS.get(folder, folder)


def installed(packages: Sequence[str], name: str) -> str | None:
    """The version of a package in a list of "numpy==1.26.4", None if it is not there."""
    versions = {_normal(package.split("==")[0]): package.partition("==")[2] for package in packages}
    return versions.get(_normal(name))


def _normal(name: str) -> str:
    """Names that PyPI takes for the same are the same."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
