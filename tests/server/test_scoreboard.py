from __future__ import annotations

import os

from estiva_server.scoreboard import Scoreboard


def test_the_oldest_running_request_is_seen_across_processes() -> None:
    board = Scoreboard(2)
    assert board.oldest() is None
    assert not board.scored
    pid = os.fork()
    if pid == 0:
        board.begin(0, 20.0)
        board.begin(1, 10.0)
        board.note_success(1.0)
        os._exit(0)
    os.waitpid(pid, 0)
    assert board.oldest() == 10.0
    assert board.scored
    board.end(1)
    assert board.oldest() == 20.0
