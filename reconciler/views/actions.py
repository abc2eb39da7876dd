"""One action as lines: what, how much, from where to where, what it does to the disks, and why.

Used by plans (text), by `arr show` and by the report of an apply. Everything comes from the action itself: no kind has
a rendering of its own. What an action says in the words of the one before it is "as above".
"""

from __future__ import annotations

from reconciler.action import Action, Effects
from reconciler.address import Subject
from reconciler.units import age_text, size_text
from reconciler.views.differences import differences
from reconciler.views.disks import Levels
from reconciler.views.look import count
from reconciler.views.text import Chunk, Page, Span, span, width_of

INDENT = 6
DURATION_COLUMN = 53
AS_ABOVE = "as above"
ARROW = " → "
DESTROYING = ("delete", "destroy", "remove")


def name_of(subject: Subject) -> str:
    """The title; the key where there is none."""
    return subject.title or subject.key


def number_of(action: Action) -> str:
    """The number in an action's id: `disk_fill.media/2` → `2`."""
    return action.id.rpartition("/")[2]


def amount(effects: Effects) -> str:
    """`488 GB in 62 files`, `1.1 TB deleted`, or nothing."""
    size, word = (effects.bytes_moved, "") if effects.bytes_moved else (effects.bytes_destroyed, " deleted")
    if not size and not effects.files:
        return ""
    if not size:
        return count(effects.files, "file")
    return f"{size_text(size)}{word}" + (f" in {count(effects.files, 'file')}" if effects.files else "")


def duration(effects: Effects) -> str:
    """`about 1 h 21 min`, `a few seconds`, or nothing when nobody can tell."""
    if effects.seconds is None:
        return ""
    return "a few seconds" if effects.seconds < 10 else f"about {age_text(effects.seconds)}"


def head(action: Action) -> list[Chunk]:
    """The chunks of the first line after the verb: title, key, amount, server."""
    subject = action.subject
    chunks: list[Chunk] = [[span(name_of(subject), "title")]]
    if subject.title and subject.key != subject.title:
        chunks.append([span(subject.key, "dim")])
    if told := amount(action.effects):
        chunks.append([span(told)])
    chunks.append([span(f"[{subject.connection}]", "dim")])
    return chunks


def verb_style(action: Action) -> str:
    destroys = action.effects.destroys or action.verb in DESTROYING
    return "bad" if destroys else "verb"


class Actions:
    """Writes the actions of one resource in their order."""

    def __init__(self, page: Page, levels: Levels) -> None:
        self._page = page
        self._levels = levels
        self._said: tuple[str, ...] = ()
        self._mends: dict[str, str] = {}

    def write(self, action: Action) -> None:
        if action.cause == "repair":
            self._broken(action)
        lead = f"{number_of(action):<2} "
        first, *rest = head(action)
        self._page.pack(
            [[Span(lead), span(action.verb, verb_style(action)), Span("  "), *first], *rest], indent=0, hang=INDENT
        )
        self._change(action)
        self._page.pack(self._levels.step(action), indent=INDENT)
        self._reasons(action)
        if action.requires:
            numbers = ", ".join(r.rpartition("/")[2] for r in action.requires)
            self._page.flow(f"only after {numbers}", indent=INDENT)
        if action.compensation is not None:
            self._mends.setdefault(action.compensation.says, action.verb)

    def mends(self) -> None:
        """What is done if an action breaks half-way: approved with the plan, so it is said, once for all that share it."""
        for says, verb in self._mends.items():
            self._page.flow(f"Should a {verb} break: {says}", hang=INDENT)
        self._mends.clear()

    def _broken(self, action: Action) -> None:
        """A repair tells first what is wrong, then what is done about it."""
        self._page.pack(
            [
                [Span("broken  ", "warn"), span(f"{name_of(action.subject)}:", "title")],
                *([Span(w)] for w in span(action.reason).text.split()),
            ],
            sep=" ",
            hang=INDENT,
        )

    def _change(self, action: Action) -> None:
        texts, takes = differences(action), duration(action.effects)
        lines = [row for text in texts for row in side_by_side(text, self._page.width - INDENT)]
        for text in lines[:-1] if takes else lines:
            self._page.pack([[span(text)]], indent=INDENT, hang=INDENT + 2)
        if takes:
            last = [span(lines[-1])] if lines else []
            self._page.tab(last, [Span(takes)], indent=INDENT, stop=DURATION_COLUMN if lines else 0)

    def _reasons(self, action: Action) -> None:
        reason = () if action.cause == "repair" or not action.reason else (action.reason,)
        said = (*reason, *action.details)
        if said and said == self._said:
            self._page.line(Span(" " * INDENT + AS_ABOVE))
            return
        for text in reason:
            self._page.flow(text, indent=INDENT)
        self._page.pack([[span(d)] for d in action.details], sep=" · ", indent=INDENT)
        self._said = said


def side_by_side(text: str, room: int) -> list[str]:
    """`from → to` on one line, or on two where it is too long for one."""
    before, arrow, after = text.partition(ARROW)
    return [before, f"{ARROW.lstrip()}{after}"] if arrow and width_of([span(text)]) > room else [text]
