"""Law 10: no secret leaves. A canary is the server's key; it is looked for wherever `arr` leaves something.

One app of each world unless in the proof (`sampled`): the ways out of `arr` are the same for all of them.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.effort import PROOF
from tests.laws.bench import SECRET_VARIABLE, Bench
from tests.laws.worlds import CANARY

ARR = str(Path(sys.executable).with_name("arr"))
FORMS = [
    CANARY.encode(),
    base64.b64encode(CANARY.encode()).rstrip(b"="),
    CANARY[::-1].encode(),
    CANARY.upper().encode(),
]


def clean(what: str, data: bytes) -> None:
    for form in FORMS:
        at = data.find(form)
        assert at < 0, f"{what} holds the key: …{data[max(0, at - 200) : at]!r}"


def descendants(pid: int) -> Iterable[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from descendants(int(child))


def watched(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes, bytes]:
    """The arguments of a process and its children at any time of its life, and what it printed."""
    seen = b""
    while True:
        for pid in descendants(process.pid):
            try:
                seen += Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
        try:
            out, err = process.communicate(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
        return seen, out, err


def arr(laws: Bench, *args: str) -> str:
    """Run it, search all that it leaves, and give what it printed."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("ARR_")} | {
        SECRET_VARIABLE: CANARY,
        "COLUMNS": "400",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    log = laws.folder / "log.jsonl"
    later = laws.ahead.total_seconds()
    command = [sys.executable, "-m", "tests.laws.later", str(later)] if later else [ARR]
    process = subprocess.Popen(
        [*command, *args, "--log-file", str(log)],
        cwd=laws.folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    seen, out, err = watched(process)
    clean(f"the arguments of arr {args[0]}", seen)
    clean(f"what arr {' '.join(args)} prints", out)
    clean(f"what arr {' '.join(args)} says on standard error", err)
    for file in [log, *laws.state.rglob("*"), *laws.folder.glob("*.json")]:
        if file.is_file():
            clean(f"{file.name} after arr {args[0]}", file.read_bytes())
    return out.decode() + err.decode()


def test_no_secret_when_all_is_well(laws: Bench, sampled: None) -> None:
    for args in (
        ("plan", "-vv", "--out", "plan.json"),
        ("plan", "--format", "json"),
        ("plan", "--format", "markdown"),
        ("doctor", "-vv"),
        ("validate", "--format", "json"),
        ("status", "--format", "json"),
        ("drift", "-vv"),
    ):
        assert arr(laws, *args), args
    plan = laws.plan().id
    assert "r0000" in arr(laws, "apply", plan, "--approve", plan, "-vv")
    arr(laws, "history", "--format", "json")
    arr(laws, "show", f"r{1 + ('earlier' in laws.case.told):06d}", "--format", "json")
    laws.assert_reached()


@pytest.mark.parametrize("status", [400, 401, 403, 500] if PROOF else [400])
def test_no_secret_when_a_server_repeats_it(laws: Bench, sampled: None, over_http: None, status: int) -> None:
    """A careless server writes the key into its errors: to reads, then to writes."""
    plan = laws.plan().id
    with laws.proxied() as between:
        laws.declare()
        between.tell_tale = {"read": status}
        for args in (("plan", "-vv"), ("plan", "--format", "json"), ("doctor", "-vv")):
            arr(laws, *args)
        between.tell_tale = {}
        plan = laws.plan().id
        between.tell_tale = {"write": status}
        told = arr(laws, "apply", plan, "--approve", plan, "-vv")
        assert laws.says(status) in told, f"the error was not shown at all: {told}"
        arr(laws, "status", "--format", "json")


def test_no_secret_in_a_fault_of_the_program(laws: Bench, sampled: None) -> None:
    """Answers that no client expects, and a key that is wrong: tracebacks and remedies hold no key either."""
    for fault in laws.ODD:
        laws.break_(fault)
        arr(laws, "plan", "-vv")
        arr(laws, "apply", "--yes", "-vv")
        laws.heal()
