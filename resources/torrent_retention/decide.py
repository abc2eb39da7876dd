"""Which torrents go, which would and are held, and what is not known. Pure; `reads`, `planning` and `why` begin here.

In four steps: the rules over each torrent; what the rules cannot see (protection, another app's queue, library folders,
other torrents); the bytes behind its names; and that everybody who shares them agrees. What an earlier step has kept is
not asked about again, so the questions stay few.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.action import Blocked, Held
from reconciler.facts import Facts, Query, Unknown
from reconciler.kind import Ledger, Resource
from resources.clients.torrents import OneTorrent, Torrent
from resources.imports import Imports, Proof, Taken
from resources.references import Place
from resources.references.places import plain
from resources.torrent_retention.judge import GO, KEEPS, UNKNOWN, Judgement, Known, judge, without_trackers
from resources.torrent_retention.observed import Observed
from resources.torrent_retention.sharing import Bytes, Sharing, ties
from resources.torrent_retention.spec import RetentionSpec, asks_imports
from resources.torrent_retention.world import ALWAYS, World, subject

DETAILS = 500  # torrents that are asked for one by one in a plan, of clients that have no whole list


@dataclass(frozen=True)
class Candidate:
    """A torrent that goes. `bytes`: what is behind its names; None where this machine does not see them."""

    torrent: Torrent
    judgement: Judgement
    bytes: Bytes | None = None
    imported: bool | None = None
    seeded_s: int | None = None
    disowned: bool = False
    taken: tuple[Taken, ...] = ()


@dataclass
class Decisions:
    """All of it. `groups`: candidates that share bytes, to be done together; `verdicts` of every torrent, for `why`."""

    world: World
    observed: Observed
    groups: list[tuple[Candidate, ...]] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)
    wants: list[Query[Any]] = field(default_factory=list)
    verdicts: dict[str, Judgement] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


class Decider:
    """One resource in one world."""

    def __init__(self, resource: Resource[RetentionSpec], facts: Facts, ledger: Ledger, now: datetime) -> None:
        self.resource, self.spec, self.ledger, self.now = resource, resource.spec, ledger, now
        self.world = World(resource, facts)
        self.observed = Observed(
            str(resource.address), ledger, self.spec.connection, resource.stack.connections[self.spec.connection].app
        )
        for name in sorted(set(self.world.torrents) - set(self.world.unseen)):
            if says := self.observed.shrunk(name, len(self.world.torrents[name]), now):
                remedy = "it may have been started just now; if it stays so, it is believed"
                self.world.unseen[name] = Unknown("incomplete", says, remedy)
        self.imports = Imports(resource.stack, facts, self.spec.imported_by) if asks_imports(self.spec) else None
        self.out = Decisions(self.world, self.observed)
        self.protected = {*resource.stack.protect, *self.spec.protect, *ledger.protected}
        self._by_content: dict[str, list[Torrent]] = {}
        self._likely: set[int] = set()  # sizes of files that may be asked about soon

    def decide(self) -> Decisions:
        out, name = self.out, self.spec.connection
        if name in self.world.unseen:
            why = self.world.unseen[name]
            out.blocked.append(
                Blocked(what=f"every torrent of {name}", reason=why.reason, remedy=why.remedy, code=why.code)
            )
            return out
        for torrent in self.world.own:
            self._by_content.setdefault(torrent.content, []).append(torrent)
        found = [c for torrent in self.world.own if (c := self._one(torrent)) is not None]
        found = self._capped(found)
        self._unknown_histories()
        Sharing(self, found).settle()
        self._want(query for _, _, query in ties(self.world.stack, self.world.torrents, self._likely))
        return out

    # one torrent -----------------------------------------------------------------------------------------------------

    def _one(self, torrent: Torrent) -> Candidate | None:
        """A candidate, when the rules let it go; else its verdict is noted."""
        it = Known(torrent, self.now, seeded_s=self.observed.seeded(torrent, self.now))
        disowned = self._disowned(torrent)
        judgement = self._disowned_verdict(torrent, disowned) if disowned else judge(self.spec, it)
        if judgement.verdict == UNKNOWN and not disowned:
            whole = self._whole(torrent)
            if whole is None:
                self._ahead(it)
                self._note(torrent, judgement)
                return None
            it = replace(it, torrent=whole)
            judgement = judge(self.spec, it)
            if judgement.verdict == UNKNOWN and self.imports is not None:
                it, judgement = self._with_imports(it)
        if judgement.verdict != GO:
            self._note(torrent, judgement)
            return None
        whole = self._whole(it.torrent)
        if whole is None:
            self._note(torrent, replace(judgement, verdict=UNKNOWN, reasons=("its files are not known yet",)))
            return None
        self._note(whole, judgement)
        return Candidate(whole, judgement, None, it.imported, it.seeded_s, bool(disowned), it.taken)

    def _note(self, torrent: Torrent, judgement: Judgement) -> None:
        self.out.verdicts[torrent.hash] = judgement
        self.out.counts[judgement.code if judgement.verdict != UNKNOWN else "unknown"] += 1

    def _whole(self, torrent: Torrent) -> Torrent | None:
        """With trackers and files; None while they have to be asked for, or could not be told."""
        whole = self.world.whole(torrent)
        if whole is None:
            query = OneTorrent(self.spec.connection, torrent.hash)
            if len(self.out.wants) < DETAILS:
                self._want([query])
            return None
        if isinstance(whole, Unknown):
            reason = f"{torrent.name}: {whole.reason}"
            self.out.blocked.append(
                Blocked(
                    what="one torrent",
                    reason=reason,
                    remedy=whole.remedy,
                    code=whole.code,
                    subjects=1,
                    bytes=torrent.size,
                )
            )
            return None
        return whole

    def _want(self, queries: Iterable[Query[Any]]) -> None:
        self.out.wants += [q for q in queries if not self.world.facts.has(q)]

    def _ahead(self, it: Known) -> None:
        """What will have to be asked once the rest of this torrent is known: there are few rounds of questions."""
        if self.imports is not None:
            self._want(self.imports.proof(it.torrent.hash, None).wants)

    def _with_imports(self, it: Known) -> tuple[Known, Judgement]:
        """Judged with the proof of import: its own, or that of a torrent with the same payload (a cross-seed)."""
        assert self.imports is not None  # noqa: S101  # the caller looked
        allowed = judge(self.spec, replace(it, imported=True, imported_says="imported"))
        if allowed.verdict != GO:
            return it, judge(self.spec, it)  # nothing that an import could change
        proof = self.imports.proof(it.torrent.hash, it.torrent.files)
        if proof.value is False:
            for other in self._by_content.get(it.torrent.content, ()):
                if other.hash == it.torrent.hash or not other.content or not self._holds(other, it.torrent):
                    continue
                same = self.imports.proof(other.hash, it.torrent.files)
                if same.value is not False:
                    proof = replace(same, says=f"{same.says} (as {other.name}, the same data)")
                    break
        self._want(proof.wants)
        if proof.wants:
            self._likely |= {f.size for f in it.torrent.files or ()}
            sight = self.world.sight(it.torrent)
            self._want([sight] if sight else [])
        elif proof.value is None and not self.imports.unknown:
            self._unproven(it.torrent, proof)
        it = replace(it, imported=proof.value, imported_says=proof.says, taken=proof.taken)
        return it, judge(self.spec, it)

    def _unproven(self, torrent: Torrent, proof: Proof) -> None:
        """All else lets it go, and whether it was imported is not known."""
        if proof.unsaid:
            self.hold(torrent, proof.says, "import the rest, or take imported out of the rule for its label")
        else:
            self.out.blocked.append(
                Blocked(what=torrent.name, reason=proof.says, subjects=1, bytes=torrent.size, code="incomplete")
            )

    def _holds(self, other: Torrent, torrent: Torrent) -> bool:
        """Whether every file of `torrent` is one of `other`: two payloads may lie in one folder, and be two."""
        whole = self._whole(other)
        if whole is None or not torrent.files:
            return False
        theirs = {(f"{whole.save_path}/{f.path}", f.size) for f in whole.files or ()}
        return all((f"{torrent.save_path}/{f.path}", f.size) in theirs for f in torrent.files)

    def _disowned(self, torrent: Torrent) -> str | None:
        rule = self.spec.unregistered
        if rule is None or torrent.trackers is None:
            return None
        return self.observed.disowned(torrent, rule, self.now)

    def _disowned_verdict(self, torrent: Torrent, says: str | None) -> Judgement:
        """What a tracker disowns owes it nothing any more; what keeps a torrent keeps it still."""
        kept = without_trackers(self.spec, Known(torrent, self.now))
        if kept.code in KEEPS:
            return kept
        return Judgement(GO, (str(says),), kept.delete, "unregistered")

    def _capped(self, found: list[Candidate]) -> list[Candidate]:
        """Many at one tracker at once are the tracker's trouble, not theirs."""
        rule = self.spec.unregistered
        if rule is None:
            return found
        gone = [
            t for t in self.world.own if self.observed.sightings.get(f"unregistered {self.spec.connection} {t.hash}")
        ]
        hosts = Counter(host for t in gone for host in {x.host for x in t.trackers or ()})
        kept = []
        for one in found:
            host = next((x.host for x in one.torrent.trackers or () if hosts[x.host] > rule.per_tracker), None)
            if not one.disowned or host is None:
                kept.append(one)
                continue
            reason = f"{host} disowns {hosts[host]} torrents at once: that is taken for its own trouble"
            self.hold(one.torrent, reason, f"raise unregistered.per_tracker (now {rule.per_tracker}) if it is meant")
        return kept

    def _unknown_histories(self) -> None:
        """One line for each history that did not answer, with how many torrents wait for it."""
        if self.imports is None or not self.imports.unknown:
            return
        waiting = [t for t in self.world.own if "the history of" in " ".join(self.out.verdicts[t.hash].reasons)]
        for name, why in sorted(self.imports.unknown.items()):
            self.out.blocked.append(
                Blocked(
                    what=f"what {name} has imported", reason=f"history of {name}: {why.reason}", remedy=why.remedy,
                    subjects=len(waiting), bytes=sum(t.size for t in waiting), code=why.code,
                )
            )  # fmt: skip

    # what the rules cannot see ---------------------------------------------------------------------------------------

    def hold(self, torrent: Torrent, reason: str, way: str = "") -> None:
        held = Held(subject=subject(self.spec.connection, torrent), reason=reason, way_forward=way, bytes=torrent.size)
        self.out.held.append(held)

    def protection(self, torrent: Torrent) -> str:
        """What protects it; "" for nothing."""
        names = {n.lower() for n in (torrent.label, *torrent.tags) if n}
        at = self.world.content(self.spec.connection, torrent)
        lies = {plain(torrent.content), *([at.path] if at is not None else [])}
        if ALWAYS in names:
            return f"it carries {ALWAYS} in {self.spec.connection}"
        for item in sorted(self.protected):
            sort, _, value = item.partition(":")
            by_name = sort in ("tag", "label") and value.lower() in names
            by_path = item.startswith("/") and any(Place("", plain(item)).overlaps(Place("", path)) for path in lies)
            if by_name or by_path or item in (torrent.hash, f"torrent:{torrent.hash}"):
                return f"protected by {item}"
        return ""

    def again(self, torrent: Torrent) -> str:
        """Why one that was dealt with before is left alone: it came back, or could not be removed."""
        ident = subject(self.spec.connection, torrent).ident
        past = [
            p for p in self.ledger.history if p.action.subject.ident == ident and p.action.verb in ("remove", "pause")
        ]
        done = [p for p in past if p.outcome == "done" and p.action.verb == "remove"]
        failed = [p for p in past if p.outcome in ("failed", "not-done", "broken")]
        if done:
            return f"it was removed on {done[-1].at:%Y-%m-%d} and is back: somebody adds it again"
        if len(failed) >= 3 and ident not in self.ledger.retried:
            return f"removing it failed {len(failed)} times, last on {failed[-1].at:%Y-%m-%d}"
        return ""
