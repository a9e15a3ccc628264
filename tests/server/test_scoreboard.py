from __future__ import annotations

import os

from estiva_server.scoreboard import BOUNDS, Scoreboard, make_scoreboards


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


def test_what_each_worker_counts_is_its_own_and_outlives_it() -> None:
    boards = make_scoreboards(2, 1)
    boards[0].begin(0, 5.0)
    boards[0].note_waiting(3)
    boards[0].note_init(1.5)
    boards[0].count_run(0.002)
    boards[1].count_run(100.0)
    boards[1].count_answer(200)
    boards[1].count_answer(418)
    assert [board.running for board in boards] == [1, 0]
    assert boards[0].waiting == 3
    assert boards[1].answers["200"] == boards[1].answers["other"] == 1
    boards[0].clear()
    assert (boards[0].running, boards[0].waiting, boards[0].init_seconds) == (0, 0, 0.0)
    assert boards[0].buckets[BOUNDS.index(0.0025)] == 1
    assert boards[1].buckets[-1] == 1
    assert boards[0].everyone == boards
