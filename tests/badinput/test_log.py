"""The log of a run that went wrong tells what was asked and what came back, as JSON lines, privately, with no secret."""

from __future__ import annotations

import json
import stat

from tests.badinput.ends import ends
from tests.stacks import Lab


def test_the_log_tells_what_was_asked_and_what_failed(tiny: Lab) -> None:
    tiny.stack.control.break_("server-error", server="sonarr", path="/api/v3/series")
    ends(tiny, "plan", code=7, says=("debug: sonarr: GET /api/v3/series",))
    lines = [json.loads(line) for line in (tiny.folder / "arr.log").read_text().splitlines()]
    told = {line["message"] for line in lines}
    assert any(text.startswith("radarr: GET /api/v3/movie: read in ") for text in told), told
    assert any(text.startswith("sonarr: GET /api/v3/series: server-error: ") for text in told), told
    assert any(line["level"] == "info" and line["message"].startswith("plan ") for line in lines)
    assert all({"at", "level", "logger", "message"} <= line.keys() for line in lines)
    assert stat.S_IMODE((tiny.folder / "arr.log").stat().st_mode) == 0o600


def test_a_key_that_a_server_quotes_is_not_shown(tiny: Lab) -> None:
    """The key of one server, sent to the other by a slip of the pen, is refused; neither key is told."""
    env = {"SONARR_API_KEY": tiny.env["RADARR_API_KEY"]}
    ends(tiny, "plan", code=7, says=("connections.sonarr.api_key",), env=env)


def test_a_log_that_cannot_be_written(tiny: Lab) -> None:
    done = tiny.arr("plan", "--log-file", "nowhere/arr.log")
    assert done.returncode == 64
    assert "the log file nowhere/arr.log cannot be written" in done.stderr
    assert not tiny.state.exists()


def test_without_v_only_warnings_are_told(tiny: Lab) -> None:
    assert tiny.arr("plan").stderr == ""
    assert tiny.arr("plan", env={"ARR_LOG": "debug"}).stderr.count("debug: ") >= 8
