from __future__ import annotations

from pathlib import Path

import pytest

from estiva.environments.channels import CondaSettings, conda_settings, configuration_files, missing_folders

CONDARC = """\
channel_alias: https://conda.example.org/
channels: [team]
default_channels: [https://example.org/main]
custom_channels: {private: https://example.org/private-channels}
channel_priority: flexible
"""


def settings(tmp_path: Path, text: str = CONDARC) -> CondaSettings:
    (tmp_path / ".condarc").write_text(text)
    return conda_settings(configuration_files({"HOME": str(tmp_path)}))


@pytest.mark.parametrize(
    ("names", "addresses"),
    [
        (["one", "one"], ("https://conda.example.org/one",)),
        (["defaults", "nodefaults"], ("https://example.org/main",)),
        (["private"], ("https://example.org/private-channels/private",)),
        (["https://me:secret@example.org/x/"], ("https://me:secret@example.org/x",)),
        (["/srv/channel"], ("file:///srv/channel",)),
        ([], ("https://conda.example.org/team",)),
        (["nodefaults"], ("https://conda.example.org/team",)),
    ],
)
def test_names_become_addresses(names: list[str], addresses: tuple[str, ...], tmp_path: Path) -> None:
    assert settings(tmp_path).addresses(names) == addresses


def test_without_a_configuration_names_are_the_usual_ones() -> None:
    (community,) = CondaSettings().addresses([])
    assert community.startswith("https://")
    assert community.endswith("/conda-forge")
    assert [url.rsplit("/", 1)[1] for url in CondaSettings().addresses(["defaults"])] == ["main", "r"]


@pytest.mark.parametrize(
    ("text", "strict"),
    [("channel_priority: strict", True), ("channel_priority: disabled", False), ("{", True), ("- a", True)],
)
def test_the_priority_of_channels(text: str, strict: bool, tmp_path: Path) -> None:
    assert settings(tmp_path, text).strict is strict


def test_a_later_file_overrides_an_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("channels: [mine]\n")
    (tmp_path / ".condarc").write_text(CONDARC)
    files = configuration_files({"HOME": str(tmp_path), "CONDARC": str(tmp_path / "more")})
    assert conda_settings(files).addresses([]) == ("https://conda.example.org/mine",)


def test_folders_that_are_not_there(tmp_path: Path) -> None:
    there, away = tmp_path.as_uri(), f"{tmp_path.as_uri()}/a%20b"
    assert missing_folders([there, away, "https://example.org"]) == [str(tmp_path / "a b")]
