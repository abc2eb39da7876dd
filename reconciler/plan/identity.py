"""A plan's id: the digest of what it is. Two plans that would do the same on the same grounds have the same id.

In it: schema version, desired digest, lineage of the state, and each action with the fields that its decision rests on.
Not in it: the time, the state's serial, words for people, figures that merely grow. Base32, lower case, so that it can
be typed; shown as the shortest prefix that is unique in the state.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable

from reconciler.action import Action, Json
from reconciler.plan.model import SCHEMA


def canonical(value: Json) -> bytes:
    """The one spelling of a JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Json) -> str:
    """52 characters of lower-case base32: the SHA-256 of the canonical spelling."""
    return base64.b32encode(hashlib.sha256(canonical(value)).digest()).decode().lower().rstrip("=")


def essence(action: Action) -> Json:
    """What an action is, without what is only said about it."""
    mend = action.compensation
    return {
        "id": action.id,
        "verb": action.verb,
        "subject": action.subject.ident,
        "after": action.after,
        "rests_on": action.rests_on,
        "requires": list(action.requires),
        "data": action.data,
        "mend": None if mend is None else [mend.verb, mend.data],
        "destroys": [action.effects.destroys, action.effects.bytes_destroyed],
    }


def plan_id(
    desired: str, lineage: str, targets: Iterable[str], actions: Iterable[Action], protects: Iterable[str] | None
) -> str:
    """The id of a plan of these actions and protections."""
    kept = None if protects is None else sorted(protects)
    return digest([SCHEMA, desired, lineage, sorted(targets), [essence(a) for a in actions], kept])
