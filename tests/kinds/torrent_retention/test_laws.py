"""The twelve laws, tried on this kind over simulated clients: the sandbox's worlds play no torrent client."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import Exit
from reconciler.plan import files
from reconciler.store import Store
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import FREE, Sim, goes, payload

WISH = f"connection: rt\nmay_go: {{ratio: '>= 2'}}\n{FREE}"
FILES = {"e1.mkv": 60_000, "e2.mkv": 30_000}
PASSKEY = "c0ffeec0ffeec0ffeec0ffeec0ffee00"
WRITES = {"d.erase", "d.close", "d.open", "d.stop", "d.start", "d.resume", "d.pause"}


def torrents(tmp_path: Path) -> list:  # type: ignore[type-arg]
    keyed = {"trackers": [f"http://t.example/{PASSKEY}/announce"]}
    made = [payload(tmp_path / "dl", name, n, files=FILES, **keyed) for n, name in enumerate(["A", "B"])]
    return [*made, payload(tmp_path / "dl", "Stays", 9, files=FILES, ratio=100, **keyed)]


def sim(tmp_path: Path, rt: Rtorrent, wish: str = WISH) -> Sim:
    made = Sim(tmp_path, {"rt": rt.url}, tmp_path / "dl")
    made.declare(wish)
    return made


def test_law_1_fixed_point(tmp_path: Path) -> None:
    with Rtorrent(torrents(tmp_path)) as rt:
        home = sim(tmp_path, rt)
        assert {o[2] for o in home.states(home.apply())} == {"done"}
        assert home.proposal().actions == ()


def test_law_2_pure(tmp_path: Path) -> None:
    """Twice the same id, also when the client tells its torrents in another order."""
    with Rtorrent(torrents(tmp_path)) as rt:
        home = sim(tmp_path, rt)
        first = home.plan()
        rt.torrents = dict(reversed(rt.torrents.items()))
        assert home.plan().id == first.id


def test_law_3_planning_only_reads(tmp_path: Path) -> None:
    with Rtorrent(torrents(tmp_path)) as rt:
        sim(tmp_path, rt).plan()
        assert not WRITES & rt.calls.keys() and rt.requests == 1
        assert not (tmp_path / "dl" / ".arr-quarantine").exists()


def test_law_4_unknown_is_never_absent(tmp_path: Path) -> None:
    with Rtorrent(torrents(tmp_path)) as rt:
        home = sim(tmp_path, rt)
        rt.refuses["d.multicall2"] = (-503, "no")
        proposal = home.proposal()
        assert proposal.actions == () and proposal.population == {} and home.code() == Exit.BLOCKED


def test_law_5_precondition(tmp_path: Path) -> None:
    with Rtorrent(torrents(tmp_path)) as rt:
        home = sim(tmp_path, rt)
        plan = home.plan()
        for torrent in rt.torrents.values():
            torrent.ratio = 1900
        assert [o[2] for o in home.states(home.apply(plan))] == ["stale", "left"] and len(rt.torrents) == 3


def test_law_6_intent_before_act(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the intent cannot be written nothing is sent."""
    with Rtorrent(torrents(tmp_path)) as rt:
        home = sim(tmp_path, rt)
        plan = home.plan()

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Store, "intend", full)
        home.apply(plan)
        assert not WRITES & rt.calls.keys() and (tmp_path / "dl" / "A" / "e1.mkv").exists()


def test_law_7_a_lost_reply_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Rtorrent(torrents(tmp_path)) as rt:
        home = sim(tmp_path, rt)
        answer = rt.answer
        monkeypatch.setattr(rt, "answer", lambda body: b"<cut" if answer(body) and b"d.erase" in body else answer(body))
        assert {o[2] for o in home.states(home.apply())} == {"done"}
        assert rt.calls["d.erase"] == 2 and [t.name for t in rt.torrents.values()] == ["Stays"]


def test_law_8_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that says yes and does nothing: not done."""
    with Rtorrent(torrents(tmp_path)) as rt:
        home = sim(tmp_path, rt)
        of = rt._of
        monkeypatch.setattr(rt, "_of", lambda t, m, p: 0 if m == "d.erase" else of(t, m, p))
        assert "done" not in {o[2] for o in home.states(home.apply())} and len(rt.torrents) == 3


def test_law_9_nothing_unowned(tmp_path: Path) -> None:
    with Rtorrent(torrents(tmp_path)) as rt:
        (tmp_path / "dl" / "A" / "mine.txt").write_text("mine")
        (tmp_path / "dl" / "other.bin").write_text("other")
        home = sim(tmp_path, rt)
        home.apply()
        left = sorted(p.name for p in (tmp_path / "dl").rglob("*") if p.is_file() and ".arr-quarantine" not in str(p))
        assert left == ["e1.mkv", "e2.mkv", "mine.txt", "other.bin"]


def test_law_10_no_secret_leaves(tmp_path: Path) -> None:
    with Rtorrent(torrents(tmp_path)) as rt:
        next(iter(rt.torrents.values())).message = f"Tracker: [bad passkey {PASSKEY}]"
        home = sim(tmp_path, rt)
        plan = home.plan()
        report = home.apply(plan)
        kept = "".join(
            p.read_bytes().decode("latin-1") for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".mkv"
        )
        assert PASSKEY not in str(files.document(plan)) + report.model_dump_json() + kept


def test_law_11_budget(tmp_path: Path) -> None:
    with Rtorrent(torrents(tmp_path)) as rt:
        home = sim(tmp_path, rt, WISH + "guard: {max: 1}")
        plan = home.plan()
        assert {h.guard for h in plan.hits()} == {"first-time", "destroy-count"}
        session = home.session()
        assert {o.state for o in session.apply(plan).outcomes} == {"refused"} and len(rt.torrents) == 3


def test_law_12_liveness(tmp_path: Path) -> None:
    """When the faults stop, the next round gets there."""
    with Rtorrent(torrents(tmp_path)) as rt:
        home = sim(tmp_path, rt)
        rt.refuses["d.erase"] = (-500, "busy")
        home.apply()
        rt.refuses.clear()
        assert sorted(goes(home.proposal())) == ["A", "B"]
        assert {o[2] for o in home.states(home.apply())} == {"done"} and home.proposal().actions == ()
