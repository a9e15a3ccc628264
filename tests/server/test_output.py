"""What scripts print and log, by the request that it belongs to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.server.conftest import Serve

SCRIPT = """
import logging, sys
from threading import Barrier

log = logging.getLogger("model")
together = Barrier(2)

def init():
    print("loading")

def run(data):
    print("got", data)
    log.warning("odd %s", data)
    sys.stderr.write(f"half {data}")
    if data != "alone":
        together.wait(10)
        for number in range(20):
            print(data, number)
    return data
"""


def test_lines_carry_the_id_of_their_request(serve: Serve) -> None:
    server = serve({"score.py": SCRIPT})
    server.score("alone", x_request_id="r1")
    server.log.wait_for(r"Z \[r1\] half alone$")
    server.log.wait_for(r"Z \[r1\] got alone$")
    server.log.wait_for(r"Z \[r1\] WARNING model: odd alone$")
    server.log.wait_for(r"Z loading$")


def test_requests_at_the_same_time_do_not_mix_their_lines(serve: Serve) -> None:
    server = serve({"score.py": SCRIPT}, ESTIVA_CONCURRENCY="2")
    with ThreadPoolExecutor() as pool:
        sent = [pool.submit(server.score, name, x_request_id=f"id-{name}") for name in ("left", "right")]
        assert [one.result().json for one in sent] == ["left", "right"]
    for name in ("left", "right"):
        for number in range(20):
            server.log.wait_for(rf"Z \[id-{name}\] {name} {number}$")
    assert "[id-left] right" not in server.log.text
