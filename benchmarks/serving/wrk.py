"""Load from wrk: so many connections for so long, and what came of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_THREADS = 1

_SCRIPT = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = BODY
function done(summary, latency)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format(
        '\\nRESULT {"requests": %d, "microseconds": %d, "failed": %d, "p50": %d, "p99": %d}\\n',
        summary.requests, summary.duration, failed, latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    requests_per_second: float
    p50: float
    """Seconds, as the next."""
    p99: float


def is_installed() -> bool:
    return shutil.which("wrk") is not None


def load(port: int, path: str, body: str, connections: int, seconds: int) -> Load:
    """Raises ValueError if any answer was not a success."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT.replace("BODY", _quote(body)))
        script.flush()
        output = _run(Path(script.name), f"http://127.0.0.1:{port}{path}", connections, seconds)
    result = json.loads(output.partition("RESULT ")[2].splitlines()[0])
    if result["failed"] or not result["requests"]:
        raise ValueError(f"{result['failed']} requests failed, of {result['requests']}")
    return Load(result["requests"] / result["microseconds"] * 1e6, result["p50"] / 1e6, result["p99"] / 1e6)


def _run(script: Path, url: str, connections: int, seconds: int) -> str:
    how = [
        "--timeout",
        "30s",
        "-t",
        str(_THREADS),
        "-c",
        str(connections),
        "-d",
        f"{seconds}s",
        "-s",
        str(script),
    ]
    command = ["wrk", *how, url]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds + 60).stdout


def _quote(text: str) -> str:
    """A string of Lua that ends at no bracket of JSON's."""
    return f"[==[{text}]==]"
