"""What the ledger tells of earlier fetches: which state of a release came home, and which folder it was put into. Pure.

An action carries under `kept` what has to be known of it for as long as the ledger reaches back; an action of a version
that did not has an empty one. A fetch is known by the folder that it was to put its release into, whichever resource's
it was: a resource may be renamed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from datetime import datetime

from reconciler.action import Action, Json
from reconciler.address import Subject
from reconciler.kind import Ledger, Past
from resources.seedbox_transfer.release import Release, digest
from resources.seedbox_transfer.spec import SeedboxTransferSpec

KIND = "seedbox_transfer"


def kept(action: Action) -> Mapping[str, Json]:
    """`as` (fingerprint), `whole`, `bytes`, `shape`, `folder` (its mark), `torrents` (info-hashes); {} where it is not known."""
    found = action.data.get("kept")
    return found if isinstance(found, dict) else {}


def into(action: Action, folder: str) -> bool:
    """Whether it is about this folder: another one may want the same release."""
    here = action.after.get("here")
    return isinstance(here, str) and (posixpath.dirname(here) or "/") == folder


def subject(spec: SeedboxTransferSpec, release: Release) -> Subject:
    """What an action on a release is about."""
    return subject_of(spec, release.title)


def subject_of(spec: SeedboxTransferSpec, title: str) -> Subject:
    """The same, of one that may not be there any more."""
    key = f"{spec.source.path.rstrip('/')}/{title}"
    return Subject(connection=spec.source.sftp, type="release", key=key, title=title)


class Memory:
    """The fetches into one folder."""

    def __init__(self, ledger: Ledger, folder: str) -> None:
        self._done: dict[str, Past] = {}
        self.mark = ""  # what the folder was marked with when something was last fetched into it; "" for never
        last = ""
        for past in ledger.history:
            if not _fetch(past.action, folder):
                continue
            last = past.run
            if past.outcome == "done":
                self._done[past.action.subject.ident] = past
            if past.outcome == "done" or past.seconds is not None:  # accepted: the folder was marked before that
                self.mark = str(kept(past.action).get("folder", self.mark))
        for pending in ledger.pending:
            if _fetch(pending.action, folder) and pending.handle is not None:
                self.mark = str(kept(pending.action).get("folder", self.mark))
        self.fresh = digest([ledger.lineage, folder, last])  # to mark a folder with that bears no mark

    def brought(self, ident: str) -> Past | None:
        """The last fetch that brought this subject home."""
        return self._done.get(ident)

    def tombstone(self, ident: str, release: Release, now: datetime, seconds: float) -> Past | None:
        """The fetch because of which `release`, which is not here, is not fetched; None: it may be.

        What grew since, or was written anew, is another thing. What shrank is what is left of the same.
        """
        past = self._done.get(ident)
        if past is None or (now - past.at).total_seconds() >= seconds:
            return None
        known = kept(past.action)
        if not known or release.bytes < known["bytes"] or release.whole == known.get("whole"):
            return past  # the last: what is excluded was edited since, and nothing on the server
        return past if release.bytes == known["bytes"] and release.fingerprint == known["as"] else None


def _fetch(action: Action, folder: str) -> bool:
    return action.verb == "fetch" and action.address.partition(".")[0] == KIND and into(action, folder)


def marked(seen: str | None) -> str:
    """What a plan rests on: the mark of the folder as one word."""
    return "no mark" if seen is None else seen or "empty mark"
