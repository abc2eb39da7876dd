"""What a kind is: a spec, the queries it reads, a pure `plan`, and for each verb `read`, `perform`, `verify`.

A kind is found through the entry point group `arr.kinds`. It imports this module and its clients, and nothing else of
the engine. Everything else (schedule, guards, journal, ordering, retries, rendering, docs, laws) is the engine's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from reconciler.action import Action, Bar, Json, Proposal
from reconciler.address import Address
from reconciler.errors import Diagnostic, Mark
from reconciler.facts import Fact, Facts, Query
from reconciler.limits import GuardSpec
from reconciler.stack import Stack


class Spec(BaseModel):
    """Base of every kind's spec: what any resource may say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    paused: bool = Field(default=False, description="True: planned as if it were not there; what is under way goes on.")
    guard: GuardSpec | None = Field(default=None, description="Limits tighter than the global ones.")
    protect: tuple[str, ...] = Field(
        default=(),
        description="Items that nothing may destroy: `tvdb:280619`, `tmdb:603`, `tag:arr-protect`, `label:keep`, "
        "`torrent:<its hash>`, a path.",
    )


S = TypeVar("S", bound=Spec)


@dataclass(frozen=True)
class Resource(Generic[S]):
    """A declared wish, loaded and valid.

    `stack`   the shared sections (connections, disks, paths, protect, guards); see `reconciler.stack.Stack`.
    `marks`   where each field of the spec was written, by dotted path ("" is the resource itself).
    """

    address: Address
    spec: S
    stack: Stack
    marks: Mapping[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True)
class Past:
    """A settled action of an earlier run. `outcome` is done, failed, broken, not-done or unknown.

    `seconds`: from its acceptance by a server to its outcome; None for an action that was not a long one.
    """

    run: str
    at: datetime
    action: Action
    outcome: str
    seconds: float | None = None


@dataclass(frozen=True)
class Pending:
    """An action whose outcome is not journalled yet, with what the world says of it now.

    `live`: the process that began it is still at work, and will journal the outcome itself.
    """

    run: str
    at: datetime
    action: Action
    handle: dict[str, Json] | None
    verdict: Verdict
    live: bool = False


@dataclass(frozen=True)
class Ledger:
    """What the state remembers, as far as planning may see it. A value: planning cannot write.

    `applied`     address → the wish (JSON) that was last applied without anything left over.
    `history`     settled actions, oldest first.
    `pending`     accepted or intended actions without an outcome.
    `owned`       address → idents of subjects that this resource created.
    `protected`   protections remembered from earlier wishes.
    `populations` "address scope" → the last good count (see `Proposal.population`).
    `sightings`   "address item" → the state in which it was seen last, and since when (see `Proposal.sightings`).
    `retried`     idents of subjects whose earlier attempts in vain a person asked to be tried again now.
    """

    lineage: str = ""
    applied: Mapping[str, Json] = field(default_factory=dict)
    history: tuple[Past, ...] = ()
    pending: tuple[Pending, ...] = ()
    owned: Mapping[str, frozenset[str]] = field(default_factory=dict)
    protected: frozenset[str] = frozenset()
    populations: Mapping[str, int] = field(default_factory=dict)
    sightings: Mapping[str, tuple[str, datetime]] = field(default_factory=dict)
    retried: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Verdict:
    """What the world says of an action. `state`:

    done      the effect is there, proven
    not-done  nothing of it happened; it may be planned again
    running   accepted and still going on (`done_bytes` of `total_bytes` where that can be told)
    broken    it stopped half-way; `says` how, `data` what a repair needs
    unknown   the world did not answer
    """

    state: str
    says: str = ""
    data: dict[str, Json] = field(default_factory=dict)
    done_bytes: int | None = None
    total_bytes: int | None = None
    remedy: str = ""


class World(Protocol):
    """How verbs reach the servers. In `read` and `verify` the clients refuse writes."""

    def client(self, connection: str) -> Any:
        """The open client of a connection. ReadFailed when it cannot be opened."""
        ...

    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None:
        """Wait between two looks inside one call; seconds, short. Long waits are the executor's."""
        ...


class Verb(ABC):
    """One sort of change. Stateless."""

    long: ClassVar[bool] = False  # True: `perform` returns at acceptance, `verify` may say "running"
    noun: ClassVar[str] = ""  # for sentences: "1 move", "2 moves"
    # Field of `read` → what to say when it is not as the plan expected; {was} and {now} stand for the values.
    words: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def read(self, world: World, action: Action) -> Fact[dict[str, Json]]:
        """The fields of `action.rests_on` as they are now. Reads only."""

    @abstractmethod
    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        """Send the writes. Returns a handle by which a long action can be found again, or None.

        A reply that is lost raises `ReplyLost`: the executor then looks at the world instead of trying again.
        """

    @abstractmethod
    def verify(self, world: World, action: Action, handle: dict[str, Json] | None) -> Verdict:
        """Look at the world. Also used, with `handle` None, to settle what a dead process left. Reads only."""

    def work(
        self,
        world: World,
        action: Action,
        handle: dict[str, Json],
        told: Callable[[Verdict], None],
        stopped: Callable[[], bool],
    ) -> Verdict | None:
        """For a long action that this process carries on itself: called once after `perform`, without the lock.

        `told` takes a running verdict now and then; once `stopped` says so it comes to a safe end and returns. Why nothing
        came of it is the verdict that it returns, or a WriteRefused, ReadFailed or NotThere; None: the world tells. What it
        leaves half done after a kill is `verify`'s to judge, and the next plan's to carry on.
        """
        return None

    def conclude(self, world: World, action: Action, handle: dict[str, Json] | None) -> None:
        """What has to be sent once the effect is there (a rescan). Called between two `verify`s; may write."""


class ReplyLost(Exception):
    """A write was sent and its answer never came whole: it may have happened.

    `late`: the answer did not come in time, so the server may still be about to act; a cut connection tells more.
    """

    def __init__(self, message: str = "", *, late: bool = False) -> None:
        super().__init__(message)
        self.late = late


class WriteRefused(Exception):
    """The server, or the connection's own `access: read`, said no to a write: it has not happened. Holds no secret."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class NotBegun(WriteRefused):
    """Refused before anything was sent: whatever the world looks like, it is nothing of this action's doing."""


class Kind(ABC, Generic[S]):
    """A type of resource. The module's KIND constant is an instance."""

    name: ClassVar[str]
    Spec: ClassVar[type[Spec]]
    verbs: ClassVar[Mapping[str, Verb]]
    moves_or_destroys: ClassVar[bool] = False  # the first-time guard speaks of such kinds
    destroys_late: ClassVar[bool] = False  # it destroys long after its wish was first applied: a first time, too
    mending: ClassVar[frozenset[str]] = frozenset()  # verbs that put right what broke: never flapping
    example: ClassVar[str] = ""  # YAML below the kind's name, over the disks d1 and d2: a first wish for `arr init`

    def check(self, resource: Resource[S]) -> Iterable[Diagnostic]:
        """What pydantic cannot see: references to disks, connections and each other. No network."""
        return ()

    def refers_to(self, resource: Resource[S]) -> dict[str, Json]:
        """Parts of the shared sections that belong to the wish (the disks it names): they count in its digest."""
        return {}

    def memory(self, resource: Resource[S]) -> timedelta:
        """How far back planning looks in the history: cool-downs and limits a day. The ledger holds no more than that.

        Of what is older than two days it holds the last four of each subject, verb and outcome, and what was done
        without its `rests_on`, `details`, `compensation`, `undo` and `data`, of which only `data["kept"]` stays.
        """
        return timedelta(days=31)

    def sees(self, resource: Resource[S], facts: Facts, item: str) -> bool | None:
        """Whether `item` (as `tvdb:280619`, `tag:kids`) is among what this resource read. None: it can't tell."""
        return None

    def claims(self, resource: Resource[S]) -> Iterable[str]:
        """What only one resource of the stack may be in charge of, as `disk d1`: a second claim is a load error."""
        return ()

    def lies_at(self, resource: Resource[S], action: Action) -> Iterable[str]:
        """Where the files lie that `action` reads or destroys, in names that kinds share (of files: their `Place`).

        What one resource destroys is held while another one has still to do something with what lies there.
        """
        return ()

    def wants(self, resource: Resource[S], proposal: Proposal | None, ledger: Ledger) -> Callable[[str], str]:
        """What it has still to read though no action of this plan says so: a function from a place (in the names of
        `lies_at`) to why, or "" for what it does not need. What another resource would destroy there is held.

        `proposal`: what it proposes now; None where it is paused, or no target of this plan.
        """
        return lambda _: ""

    @abstractmethod
    def reads(self, resource: Resource[S], facts: Facts, ledger: Ledger, now: datetime) -> Iterable[Query[Any]]:
        """The queries needed. Called up to three times, each time with the answers so far; name all that are known."""

    @abstractmethod
    def plan(self, resource: Resource[S], facts: Facts, ledger: Ledger, now: datetime) -> Proposal:
        """Pure: same arguments, same bytes. No I/O, no clock, no randomness."""

    def bars(
        self, resource: Resource[S], facts: Facts, ledger: Ledger, now: datetime, actions: Sequence[Action]
    ) -> tuple[Bar, ...]:
        """Disks before and after `actions` that did not come from `plan`: an undo shows them. (): the kind has none."""
        return ()

    def why(self, resource: Resource[S], facts: Facts, ledger: Ledger, now: datetime, item: str) -> list[str]:
        """`arr why ITEM`: verdict on one title or id, as lines; empty when it is none of this resource's business."""
        return []
