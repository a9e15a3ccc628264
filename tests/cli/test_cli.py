from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import estiva
from estiva import cli, errors
from estiva.cli import ExitCode, app, exit_code
from estiva.errors import EstivaError
from tests.cli.conftest import Run

NO_EXAMPLE_NEEDED = {
    *("demo", "doctor", "up", "status", "down", "prune"),
    *("workspace create", "workspace list", "workspace delete"),
    *("model list", "model show", "model delete", "env list", "env show"),
    *("service list", "service show", "service reload", "service delete"),
    *("endpoint list", "endpoint show", "endpoint delete"),
    *("ml model list", "ml service list", "ml service show", "ml service get-logs", "ml service update"),
    *("ml service delete", "ml service get-keys", "ml service regen-key", "ml endpoint realtime show"),
    *(f"ml endpoint realtime {verb}-version" for verb in ("create", "update", "delete")),
}


def commands(command: object, path: tuple[str, ...] = ()) -> dict[str, typer.core.TyperCommand]:
    found: dict[str, typer.core.TyperCommand] = {}
    for name, inner in getattr(command, "commands", {}).items():
        if getattr(inner, "commands", None):
            found |= commands(inner, (*path, name))
        else:
            found[" ".join((*path, name))] = inner
    return found


COMMANDS = commands(typer.main.get_command(app))


def test_the_commands_are_named_for_the_users_words() -> None:
    assert sorted(COMMANDS) == sorted(
        [
            *("deploy", "debug", "package", "manifests", "try", "demo", "replicas", "diagnose"),
            *("shell", "doctor"),
            *("up", "status", "down", "prune"),
            *("workspace create", "workspace list", "workspace set", "workspace tls"),
            *("workspace delete",),
            *("certificate create",),
            *("model register", "model list", "model show", "model download", "model delete"),
            *("env create", "env list", "env show", "env build", "env image"),
            *("env lock", "env diff", "env update", "env export", "env import", "env infer", "env sbom"),
            *("service list", "service show", "service run", "service logs"),
            *("service reload", "service update", "service scale", "service keys", "service token"),
            *("service delete", "data show", "data export"),
            *("endpoint create", "endpoint list", "endpoint show", "endpoint update", "endpoint traffic"),
            *("endpoint measures", "endpoint score", "endpoint logs", "endpoint keys", "endpoint delete"),
            *("endpoint version create", "endpoint version update", "endpoint version delete"),
            *("ml model register", "ml model list", "ml model deploy", "ml model package"),
            *("ml service list", "ml service show", "ml service run", "ml service get-logs"),
            *("ml service update", "ml service delete", "ml service get-keys", "ml service regen-key"),
            *("ml endpoint realtime create-version", "ml endpoint realtime update-version"),
            *("ml endpoint realtime delete-version", "ml endpoint realtime show"),
        ]
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str, run: Run) -> None:
    command = COMMANDS[name]
    assert command.help
    unexplained = [
        parameter.name
        for parameter in command.params
        if parameter.param_type_name == "option" and not getattr(parameter, "help", None)
    ]
    assert unexplained == []
    assert command.help.split()[0] in run(*name.split(), "--help")


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - NO_EXAMPLE_NEEDED))
def test_an_example_is_a_command_line_that_can_be_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epilog = COMMANDS[name].epilog or ""
    assert epilog.startswith(f"Example:  estiva {name} ")
    monkeypatch.chdir(tmp_path)
    for file in ("environment.yml", "sample.json", "host.crt", "host.key"):
        (tmp_path / file).touch()
    for line in epilog.removeprefix("Example:").split("   or   "):
        COMMANDS[name].make_context(name, shlex.split(line)[len(f"estiva {name}".split()) :])


def test_without_arguments_a_noun_shows_its_commands(run: Run) -> None:
    assert "register" in run("model", status=2)


def test_the_version(run: Run) -> None:
    assert run("--version") == f"estiva {estiva.__version__}\n"


def test_the_package_s_command_is_this_one() -> None:
    program = "import sys; from estiva.cli import main; sys.argv = ['estiva', '--version']; main()"
    assert (
        subprocess.check_output([sys.executable, "-c", program], text=True)
        == f"estiva {estiva.__version__}\n"
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ControlServerException("x"), ExitCode.NO_CONTROL_SERVER),
        (errors.ControlServerException("x", code="WebserviceNotFound"), ExitCode.NO_CONTROL_SERVER),
        (errors.WebserviceException("x", code="WebserviceNotFound"), ExitCode.NOT_FOUND),
        (errors.WorkspaceException("x"), ExitCode.NOT_FOUND),
        (errors.MissingModelPath("x"), ExitCode.NOT_FOUND),
        (errors.UserErrorException("x", code="FileNotFound"), ExitCode.NOT_FOUND),
        (errors.UserErrorException("x"), ExitCode.FAILED),
        (errors.WebserviceException("x", code="ScoringFailed"), ExitCode.FAILED),
        (errors.EnvironmentException("x"), ExitCode.FAILED),
    ],
)
def test_an_exit_status_says_what_kind_of_failure(error: EstivaError, status: ExitCode) -> None:
    assert exit_code(error) is status


def test_exit_statuses_keep_their_numbers() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "FAILED": 1,
        "NOT_FOUND": 4,
        "NO_CONTROL_SERVER": 5,
    }


@pytest.mark.parametrize(
    ("raised", "status", "told"),
    [
        (errors.UserErrorException("What happened. What to do."), 1, "Error: What happened. What to do.\n"),
        (errors.WorkspaceException("There is none."), 4, "Error: There is none.\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "Error: [Errno 13] Permission denied: '/x'.\n"),
    ],
)
def test_an_error_is_a_sentence_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: Exception,
    status: int,
    told: str,
) -> None:
    def fail() -> None:
        raise raised

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == status
    assert capsys.readouterr().err == told


def test_a_usage_error_is_2(run: Run) -> None:
    run("deploy", status=2)
    run("deploy", "mine", "--port", "many", status=2)
    run("model", "list", "--output", "xml", status=2)
    run("env", "create", "mine", "missing.yml", status=2)
