"""An undo destroys what a run has made: limits and protections bind it as they bind any plan."""

from __future__ import annotations

from tests.badinput.ends import ends, flat
from tests.stacks import Lab

MADE = "tag:\n  uno: {connections: [radarr]}\n  due: {connections: [radarr]}\n"


def test_an_undo_beyond_a_limit_or_of_what_is_protected(tiny: Lab) -> None:
    tiny.declare(MADE)
    assert tiny.arr("apply", "--yes").returncode == 0
    tiny.declare("guards: {destroy: {max: 1}}\n" + MADE)
    ends(tiny, "undo", "r000001", code=4, says=("2 would be destroyed, your limit is 1 a run",))
    refused = tiny.json("undo", "r000001")
    ends(tiny, "apply", refused["short"], code=4, says=("your limit is 1 a run", "--approve"), reads=False)
    tiny.declare("guards: {destroy: {max: 1}}\nprotect: ['tag:due']\n" + MADE)
    ends(tiny, "undo", "r000001", code=0, says=("protected: nothing may destroy it",))
    short = tiny.json("undo", "r000001")["short"]
    done = tiny.arr("apply", short)
    assert done.returncode == 0, done.stdout + done.stderr
    left = flat(tiny.arr("plan").stdout)
    assert "create uno" in left
    assert "create due" not in left
