"""A service whose packages and Python come from a conda channel."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from estiva import Environment, InferenceConfig, Model
from estiva.environments.platforms import conda_name
from tests.e2e.conftest import Project
from tests.environments.conda_channels import CondaChannel

SCRIPT = """
import os
import thing

def init(): pass

def run(data):
    return [thing.version, os.environ["FLAVOUR"]]
"""
YAML = """
name: mine
channels: [{url}]
dependencies: [thing]
variables: {{FLAVOUR: sweet}}
"""


def test_a_registered_environment_serves_what_it_was_locked_to(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATTLER_CACHE_DIR", str(tmp_path / "cache"))
    channel = CondaChannel(tmp_path / "channel", conda_name(sysconfig.get_platform()))
    channel.add_python()
    channel.add_module("thing", "1.0")
    (tmp_path / "environment.yml").write_text(YAML.format(url=channel.url))
    made = Environment.from_conda_specification("mine", tmp_path / "environment.yml")
    registered = made.register(project.workspace)
    inference = InferenceConfig(entry_script=str(project.write(SCRIPT)), environment=registered)
    service = Model.deploy(project.workspace, "first", [], inference)
    service.wait_for_deployment()
    channel.add_module("thing", "2.0")
    again = Model.deploy(project.workspace, "second", [], inference)
    again.wait_for_deployment()
    assert service.run("{}") == again.run("{}") == ["1.0", "sweet"]
    updated = Environment.update(project.workspace, "mine", ["thing"], show=lambda _: None)
    assert updated.changes == ("thing 1.0=0 -> 2.0=0",)
