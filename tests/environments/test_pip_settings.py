from __future__ import annotations

from pathlib import Path

from estiva.environments.pip_settings import configuration_files, pip_settings, uv_variables

BEST_MATCH = {"UV_INDEX_STRATEGY": "unsafe-best-match"}


def test_without_settings_only_the_order_of_indexes_is_set_as_in_pip() -> None:
    assert uv_variables({}, {}) == BEST_MATCH


def test_variables_of_pip_are_handed_on(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    environ = {
        "PIP_INDEX_URL": "https://packages.example.org/simple",
        "PIP_EXTRA_INDEX_URL": "https://a.example.org  https://b.example.org",
        "PIP_FIND_LINKS": f"{tmp_path} {tmp_path}/absent https://c.example.org/wheels",
        "PIP_TRUSTED_HOST": "packages.example.org",
        "PIP_CERT": f"{tmp_path}/ca.pem",
        "PIP_PRE": "1",
        "PIP_NO_INDEX": "false",
    }
    assert uv_variables(pip_settings(environ, []), environ) == {
        **BEST_MATCH,
        "UV_DEFAULT_INDEX": "https://packages.example.org/simple",
        "UV_INDEX": "https://a.example.org https://b.example.org",
        "UV_FIND_LINKS": f"{tmp_path},https://c.example.org/wheels",
        "UV_INSECURE_HOST": "packages.example.org",
        "UV_PRERELEASE": "allow",
        "SSL_CERT_FILE": f"{tmp_path}/ca.pem",
    }


def test_what_is_set_for_uv_stands() -> None:
    environ = {
        "PIP_INDEX_URL": "https://pip.example.org",
        "UV_INDEX_URL": "https://uv.example.org",
        "UV_INDEX_STRATEGY": "first-index",
    }
    assert uv_variables(pip_settings(environ, []), environ) == {"UV_INDEX_STRATEGY": "first-index"}


def test_a_folder_of_certificates(tmp_path: Path) -> None:
    assert uv_variables({"cert": str(tmp_path)}, {}) == {**BEST_MATCH, "SSL_CERT_DIR": str(tmp_path)}
    assert uv_variables({"cert": str(tmp_path)}, {"SSL_CERT_FILE": "/x"}) == BEST_MATCH


def test_configuration_files_count_and_variables_override_them(tmp_path: Path) -> None:
    general, own, broken = tmp_path / "general.conf", tmp_path / "own.conf", tmp_path / "broken.conf"
    general.write_text(
        "[global]\nindex-url = https://general.example.org\ntrusted_host = general.example.org\n"
    )
    own.write_text("[global]\nindex-url = https://own.example.org\n[install]\nfind-links =\n  /a\n  /b\n")
    broken.write_text("index-url = nowhere")
    files = [general, own, broken, tmp_path / "absent.conf"]
    assert pip_settings({}, files) == {
        "index-url": "https://own.example.org",
        "trusted-host": "general.example.org",
        "find-links": "\n/a\n/b",
    }
    assert (
        pip_settings({"PIP_INDEX_URL": "https://x.example.org"}, files)["index-url"]
        == "https://x.example.org"
    )


def test_where_the_configuration_files_are(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "chosen.conf")}
    files = configuration_files(environ)
    assert tmp_path / ".config" / "pip" / "pip.conf" in files
    assert files[-1] == tmp_path / "chosen.conf"
    assert configuration_files({"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}) == []
