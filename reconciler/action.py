"""The plan's smallest part, as data: one change to one subject, and what is said about what is not done.

Kinds return these; the engine compares, orders, guards, hashes, journals and renders them. Everything is JSON: a plan is
a value that can be saved, shown, approved and applied by another process.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.address import Subject

Json = Any  # what json.dumps takes: None, bool, int, float, str, list, dict

Cause = Literal["wish", "drift", "start", "repair"]


class Value(BaseModel):
    """A frozen, strict value that can stand in a plan."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Effects(Value):
    """What an action does to the world, in figures that guards add up. Bytes are exact.

    `destroys` counts subjects whose data or object is gone for good afterwards; `bytes_destroyed` their size.
    `disks` maps a disk's name to the change of its used bytes (negative: room is made).
    """

    bytes_moved: int = 0
    bytes_freed: int = 0
    destroys: int = 0
    bytes_destroyed: int = 0
    moves: int = 0
    files: int = 0
    seconds: float | None = None
    disks: dict[str, int] = Field(default_factory=dict)


class Compensation(Value):
    """What is to be done if the action breaks half-way, or to undo it. It is shown in the plan and approved with it.

    `expects`: fields that the verb's `read` must give for an undo; else the subject has changed since, and is left as it is.
    """

    verb: str
    says: str
    data: dict[str, Json] = Field(default_factory=dict)
    expects: dict[str, Json] = Field(default_factory=dict)


class Action(Value):
    """One change to one subject.

    `id`          unique in its plan: `<address>/<number>`, numbers from 1 in the order in which the kind wants them done.
    `verb`        a key of the kind's `verbs`.
    `before`, `after`   what people compare, and what `undo` goes back to.
    `reason`      one sentence: why this, why now.
    `details`     further lines for people, in order.
    `rests_on`    the fields the decision depends on; before acting, the verb's `read` must give an equal mapping.
    `requires`    ids of actions that must be done first.
    `data`        what `perform` and `verify` need; never a secret.
    `cause`       wish: the declaration changed; drift: the world did; start: first time; repair: something broke.
    `undo`        verb and data that would take it back, or None where nothing can.
    """

    id: str
    address: str
    verb: str
    subject: Subject
    reason: str
    before: dict[str, Json] = Field(default_factory=dict)
    after: dict[str, Json] = Field(default_factory=dict)
    details: tuple[str, ...] = ()
    rests_on: dict[str, Json] = Field(default_factory=dict)
    requires: tuple[str, ...] = ()
    effects: Effects = Effects()
    data: dict[str, Json] = Field(default_factory=dict)
    cause: Cause = "wish"
    compensation: Compensation | None = None
    undo: Compensation | None = None


class Held(Value):
    """A subject that would be acted on and is deliberately left alone: protected, seeding, in cool-down, pinned, busy."""

    subject: Subject
    reason: str
    way_forward: str = ""
    bytes: int = 0


class Blocked(Value):
    """A decision that could not be taken because something asked was not answered."""

    what: str
    reason: str
    remedy: str = ""
    subjects: int = 0
    bytes: int = 0
    code: str = ""


class Bar(Value):
    """One disk, before and after the plan. Bytes; `size` None when nobody tells it. Free space is the servers' figure.

    `reserved`: what was under way before the plan and is still to come (negative: to leave); `used_after` has it too.
    """

    name: str
    size: int | None
    used: int | None
    used_after: int | None
    free: int
    free_after: int
    wanted: str
    ok: bool
    reserved: int = 0


class UnderWay(Value):
    """A long action accepted earlier and still running; it reserves its subject and its bytes."""

    action: Action
    says: str
    done_bytes: int | None = None
    total_bytes: int | None = None


class Proposal(Value):
    """What a kind's pure `plan` returns for one resource.

    `later`       actions beyond the pace of this run or day: shown, not applied (law 1 does not speak of them).
    `not_checked` questions that no connection could be asked, as short noun phrases.
    `errors`      the wish does not fit the world (a root that does not exist, percentages of an unknown size): exit 1.
    `summary`     lines under the list: what it adds up to, bounds and gaps, what would be needed.
    `population`  how many subjects of the kind's sort were seen, for the shrink guard and percent guards; by scope name
                  (a connection), so that a list that shrinks in one server is seen.
    `sightings`   item → the state in which it was seen (a digest): the ledger tells later plans since when it is so.
    """

    actions: tuple[Action, ...] = ()
    later: tuple[Action, ...] = ()
    held: tuple[Held, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    under_way: tuple[UnderWay, ...] = ()
    bars: tuple[Bar, ...] = ()
    not_checked: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    population: dict[str, int] = Field(default_factory=dict)
    sightings: dict[str, str] = Field(default_factory=dict)
