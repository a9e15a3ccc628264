from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import pytest

from estiva_server.log import LINE_BYTES, LineStamper, LogFile, stamp
from tests.server.conftest import Serve


def test_a_line_has_its_time() -> None:
    assert stamp("hello", 0.5) == b"1970-01-01T00:00:00.500Z hello\n"


def text_of(chunks: list[bytes]) -> list[bytes]:
    """What was written, without the times."""
    return [re.sub(rb"^\S{24} ", b"", line) for line in b"".join(chunks).splitlines()]


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"one\ntwo\n"], [b"one", b"two"]),
        ([b"on", b"e\ntw", b"o\n"], [b"one", b"two"]),
        ([b"\n\n"], [b"", b""]),
        ([b"unfinished"], [b"unfinished"]),
        ([b"not \xff utf-8\n"], [b"not \xff utf-8"]),
        ([b"x" * (2 * LINE_BYTES + 1)], [b"x" * LINE_BYTES, b"x" * LINE_BYTES, b"x"]),
    ],
)
def test_output_becomes_lines(chunks: list[bytes], lines: list[bytes]) -> None:
    written: list[bytes] = []
    stamper = LineStamper(written.append)
    for chunk in chunks:
        stamper.feed(chunk)
    stamper.finish()
    assert text_of(written) == lines


def test_the_log_never_outgrows_its_limit_and_keeps_the_newest(tmp_path: Path) -> None:
    with closing(LogFile(tmp_path, limit=100, files=3)) as log:
        for number in range(100):
            log.write(b"%09d\n" % number)
    names = ["replica.log.2", "replica.log.1", "replica.log"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert all((tmp_path / name).stat().st_size <= 100 for name in names)
    kept = b"".join((tmp_path / name).read_bytes() for name in names).split()
    assert [int(line) for line in kept] == list(range(100 - len(kept), 100))
    assert len(kept) > 20


def test_a_log_is_continued(tmp_path: Path) -> None:
    for line in (b"one\n", b"two\n"):
        with closing(LogFile(tmp_path)) as log:
            log.write(line)
    assert (tmp_path / "replica.log").read_bytes() == b"one\ntwo\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_loses_lines_and_says_how_many(tmp_path: Path) -> None:
    (tmp_path / "replica.log").symlink_to("/dev/full")
    with closing(LogFile(tmp_path)) as log:
        log.write(b"one\ntwo\n")
        (tmp_path / "replica.log").unlink()
        log.close()
        log._open()
        log.write(b"three\n")
    assert text_of([(tmp_path / "replica.log").read_bytes()]) == [
        b"estiva-server: 2 lines were lost: the log was not writable",
        b"three",
    ]


def test_a_log_folder_gets_all_output(serve: Serve, tmp_path: Path) -> None:
    script = "import logging\ndef init():\n    print('printed')\n    logging.warning('logged')\n    1 / 0\n"
    server = serve.start({"score.py": f"{script}def run(d): pass\n"}, "--log-dir", str(tmp_path / "logs"))
    server.wait()
    lines = text_of([(tmp_path / "logs" / "replica.log").read_bytes()])
    assert lines[:3] == [b"printed", b"WARNING root: logged", b"Traceback (most recent call last):"]
    assert lines[-1].startswith(b"estiva-server: ended with exit status 3")
    assert server.log.text == ""
