"""The repository keeps its own rules: links resolve, files stay small, nothing names one machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LONGEST_SOURCE_FILE = 500

# A page elsewhere is named on purpose, and added here; a package index never is: that is the user's choice.
PAGES = re.compile(
    r"""([\w-]+ | [\d.]+ | \[[\da-f:]+\]
        | ([\w-]+\.)*example(\.(com|org|net))? | ([\w-]+\.)+(test|invalid) | www\.apache\.org
        | www\.w3\.org | learn\.microsoft\.com | knative\.dev | github\.com)$""",
    re.VERBOSE,
)


@pytest.fixture(scope="module")
def texts() -> dict[Path, str]:
    """The text files that git knows, by their path relative to the checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [Path(name) for name in listed.stdout.split("\0") if (ROOT / name).is_file()]
    found = {path: (ROOT / path).read_bytes() for path in paths}
    return {path: content.decode() for path, content in found.items() if b"\0" not in content}


def test_every_link_in_the_documentation_resolves(texts: dict[Path, str]) -> None:
    broken = [
        f"{path}: {link}"
        for path, text in texts.items()
        if path.suffix == ".md"
        for link in re.findall(r"\]\(([^)\s]+)\)", text)
        if not link.startswith(("http:", "https:")) and not _resolves(path, link)
    ]
    assert not broken


def _resolves(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = ROOT / page.parent / name if name else ROOT / page
    if not anchor:
        return target.exists()
    return target.is_file() and anchor in _anchors(target.read_text())


def _anchors(text: str) -> list[str]:
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings]


def test_no_source_file_is_too_long(texts: dict[Path, str]) -> None:
    lengths = {path: text.count("\n") for path, text in texts.items() if path.suffix == ".py"}
    assert {path: length for path, length in lengths.items() if length > LONGEST_SOURCE_FILE} == {}


def test_changelog_has_a_place_for_the_next_line() -> None:
    assert re.search(r"^## Unreleased$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_nothing_names_a_page_that_is_not_on_the_list(texts: dict[Path, str]) -> None:
    named = {
        f"{path}: {host}"
        for path, text in texts.items()
        for host in re.findall(r"\bhttps?://(?:[^\s/@]+@)?(\[[0-9a-f:]+\]|\w[\w.-]*)", text)
        if not PAGES.match(host.rstrip("."))
    }
    assert not named


def test_nothing_names_a_path_of_this_machine(texts: dict[Path, str]) -> None:
    places = {str(place) for place in (ROOT, Path.home(), Path(sys.prefix)) if len(place.parts) > 1}
    named = [
        f"{path}: {place}"
        for path, text in texts.items()
        for place in places
        if re.search(rf"(?<![\w.]){re.escape(place)}/", text)
    ]
    assert not named


@pytest.mark.parametrize("name", ["check", "test", "demo", "bench", "../.ci/run"])
def test_scripts_can_be_started(name: str) -> None:
    script = ROOT / "scripts" / name
    assert script.stat().st_mode & 0o111
    shell = script.read_text().splitlines()[0].removeprefix("#!").split()[-1]
    subprocess.run([Path(shell).name, "-n", script], check=True)
