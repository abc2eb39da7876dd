"""What a person asks to have tried again now: `arr plan --retry ITEM`.

Kinds let an item rest that was tried several times in vain. Asking lifts that for one plan and nothing else: no limit, no
guard and no precondition. Nothing is written; the next plan counts the failures again. Called by the session.
"""

from __future__ import annotations

from reconciler.errors import UsageError
from reconciler.kind import Ledger


def tried_in_vain(ledger: Ledger, item: str) -> frozenset[str]:
    """Idents of the subjects of that title, key or ident with which something did not end well. UsageError for none."""
    wanted = item.strip().casefold()
    found = frozenset(
        p.action.subject.ident
        for p in ledger.history
        if p.outcome != "done"
        and wanted
        in (text.casefold() for text in (p.action.subject.title, p.action.subject.key, p.action.subject.ident))
    )
    if not found:
        raise UsageError(f"nothing was tried in vain with '{item}'", "arr history and arr show RUN tell what failed")
    return found
