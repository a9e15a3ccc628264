from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from estiva.cli import app
from estiva.sdk.kubernetes import KubernetesWebserviceDeploymentConfiguration as Configuration
from estiva.sdk.manifests import service_manifests

IMAGE = "registry.example.org/diabetes:1"


def invoke(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["manifests", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_options_are_those_of_the_deployment_configuration(tmp_path: Path) -> None:
    (tmp_path / "variables").write_text("FLAG=yes\n")
    printed = invoke(
        *("diabetes", "--image", IMAGE, "-n", "team", "--min", "2", "--max", "5", "--utilization", "80%"),
        *("--cpu", "0.5", "--memory", "1", "--memory-limit", "2", "--gpus", "1"),
        *("--timeout-ms", "5000", "--init-timeout", "30", "--env-file", str(tmp_path / "variables")),
        *("--secret", "a", "--secret", "b", "--pull-secret", "c"),
    )
    config = Configuration(
        autoscale_enabled=True,
        autoscale_min_replicas=2,
        autoscale_max_replicas=5,
        autoscale_target_utilization=80,
        namespace="team",
        cpu_cores=0.5,
        memory_gb=1,
        memory_gb_limit=2,
        gpu_cores=1,
        scoring_timeout_ms=5000,
        init_timeout_sec=30,
        environment_variables={"FLAG": "yes"},
    )
    assert printed == service_manifests("diabetes", IMAGE, config, secrets=["a", "b"], pull_secrets=["c"])


def test_a_file_is_written_instead(tmp_path: Path) -> None:
    file = tmp_path / "diabetes.yaml"
    assert invoke("diabetes", "--image", IMAGE, "--file", str(file)) == ""
    assert file.read_text() == service_manifests("diabetes", IMAGE)
