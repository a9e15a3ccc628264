from __future__ import annotations

from estiva.diagnosis.stacks import own

DUMP = """\
2026-11-25T12:00:00.000Z Timeout (0:00:01)!
2026-11-25T12:00:00.000Z Thread 0x00007f0000000001 (most recent call first):
2026-11-25T12:00:00.000Z   File "/usr/lib/python3.11/threading.py", line 320 in wait
2026-11-25T12:00:00.000Z
2026-11-25T12:00:00.000Z Thread 0x00007f0000000002 [MainThread] (most recent call first):
2026-11-25T12:00:00.000Z   File "/usr/lib/python3.11/socket.py", line 706 in readinto
2026-11-25T12:00:00.000Z   File "/r/app/source/loading.py", line 8 in fetch
2026-11-25T12:00:00.000Z   File "/r/app/source/score.py", line 4 in <lambda>
2026-11-25T12:00:00.000Z   File "/r/app/source/score.py", line 5 in init
2026-11-25T12:00:00.000Z   File "/env/estiva_server/script.py", line 90 in init
2026-11-25T12:00:00.000Z a line of the script's""".splitlines()


def test_the_users_own_places_of_the_thread_that_has_the_entry_script() -> None:
    assert own(DUMP, "source/score.py") == (
        "source/loading.py, line 8, in fetch()",
        "source/score.py, line 4",
        "source/score.py, line 5, in init()",
    )


def test_the_last_dump_counts() -> None:
    later = [line.replace("line 8", "line 9") for line in DUMP]
    assert own([*DUMP, *later], "source/score.py")[0] == "source/loading.py, line 9, in fetch()"


def test_no_dump_and_a_dump_of_other_code() -> None:
    assert own(["nothing"], "score.py") == ()
    assert own(DUMP, "other.py") == ()
    assert own(DUMP, "") == ()
