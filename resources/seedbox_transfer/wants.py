"""What has still to come home though no action says so: the releases that are held, not known, or not planned this time.

Asked by the planner before another resource destroys something: what is to be fetched later has to be there later. What
the ledger knows to have been fetched is not wanted any more, whatever became of it here. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reconciler.action import Proposal
from reconciler.kind import Ledger, Resource
from resources.references import place
from resources.references.places import plain
from resources.seedbox_transfer.spec import SeedboxTransferSpec

Seedbox = Resource[SeedboxTransferSpec]


def wants(resource: Seedbox, proposal: Proposal | None, ledger: Ledger) -> Callable[[str], str]:
    """See `Kind.wants`."""
    root = resource.spec.source.path.rstrip("/")
    if proposal is not None and proposal.population:
        held = {h.subject.key: h.reason for h in proposal.held if h.subject.type == "release"}
        held |= {f"{root}/{b.what}": f"not known: {b.reason}" for b in proposal.blocked}
        return _of_these(resource, held)
    return _all_but(resource, _fetched(resource, ledger), _why(resource, proposal))


def names(resource: Seedbox, path: str) -> list[str]:
    """What a path of the server is called in `lies_at`: as the server and as the torrent client name it, and as it is told:
    where `paths` does not map the server, a client may well call the folder by that name."""
    spec = resource.spec
    asked = (spec.source.sftp, spec.when.client) if spec.when.client is not None else (spec.source.sftp,)
    found = (place(resource.stack, name, path) for name in asked)
    told = (f"{where.space}:{where.path}" for where in found if where is not None)
    return list(dict.fromkeys([*told, f":{plain(path)}"]))


def _why(resource: Seedbox, proposal: Proposal | None) -> str:
    if resource.spec.paused:
        return "has not fetched it, and is paused"
    if proposal is None:
        return "has not fetched it, as far as is recorded, and is no part of this plan"
    told = [b.reason for b in proposal.blocked] + list(proposal.errors)
    return f"has not fetched it, as far as is recorded, and cannot tell now: {told[0] if told else 'nothing is there'}"


def _of_these(resource: Seedbox, held: dict[str, str]) -> Callable[[str], str]:
    """What is, holds or lies in one of these releases of the server."""
    at = {where: why for key, why in held.items() for where in names(resource, key)}
    above = {over: why for where, why in at.items() for over in _upwards(where)}

    def asked(where: str) -> str:
        why = above.get(where) or next((at[p] for p in _upwards(where) if p in at), "")
        return why and f"has still to fetch it, and cannot yet: {why}"

    return asked


def _all_but(resource: Seedbox, fetched: set[str], why: str) -> Callable[[str], str]:
    """Everything in the folder of the server, or that holds it, but for these."""
    tops = set(names(resource, resource.spec.source.path))
    above = {over for top in tops for over in _upwards(top)}
    done = {where for key in fetched for where in names(resource, key)}

    def asked(where: str) -> str:
        up = set(_upwards(where))
        return why if (where in above or up & tops) and not up & done else ""

    return asked


def _fetched(resource: Seedbox, ledger: Ledger) -> set[str]:
    """Keys of the releases that were brought into our folder."""
    past = (p.action for p in ledger.history if p.action.verb == "fetch" and p.outcome == "done")
    to, server = resource.spec.to, resource.spec.source.sftp
    return {a.subject.key for a in past if a.subject.connection == server and a.data.get("to", to) == to}


def _upwards(where: str) -> Iterator[str]:
    """A place and the folders above it."""
    yield where
    while "/" in where:
        where = where.rpartition("/")[0]
        yield where
