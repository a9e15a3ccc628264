from __future__ import annotations

import pytest

from estiva.diagnosis.packages import installed, provider


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("sklearn.svm", "scikit-learn"),
        ("cv2", "opencv-python-headless"),
        ("PIL.Image", "pillow"),
        ("yaml", "PyYAML"),
        ("google.protobuf.message", "protobuf"),
        ("google", None),
        ("pandas", None),
    ],
)
def test_modules_whose_package_has_another_name(module: str, package: str | None) -> None:
    assert provider(module) == package


def test_package_names_are_compared_as_pypi_does() -> None:
    packages = ("scikit_learn==1.5.0", "ruamel.yaml==0.18")
    assert installed(packages, "Scikit-Learn") == "1.5.0"
    assert installed(packages, "ruamel-yaml") == "0.18"
    assert installed(packages, "numpy") is None
