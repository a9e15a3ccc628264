from __future__ import annotations

import subprocess
import sys

import pytest

import estiva


def test_exported_members() -> None:
    models = ["CondaDependencies", "Environment", "InferenceConfig", "Model"]
    kinds = [
        "AciWebservice",
        "AksEndpoint",
        "AksWebservice",
        "ContainerWebservice",
        "Endpoint",
        "KubernetesWebservice",
        "LocalWebservice",
        "Webservice",
    ]
    assert estiva.__all__ == sorted([*models, *kinds, "Workspace", "__version__"])
    assert [name for name in estiva.__all__ if getattr(estiva, name, None) is None] == []
    with pytest.raises(AttributeError, match="module 'estiva' has no attribute 'Modell'"):
        estiva.Modell  # noqa: B018


def test_a_name_is_imported_when_it_is_first_used() -> None:
    program = "import sys, estiva; print([name for name in sys.modules if name.startswith('estiva.')])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"
