"""A plan as Markdown, for a pull request or an issue: the same facts as the text, in tables and lists.

Names are data here as well: everything that Markdown or HTML would read as its own is escaped, so a show called
`[x](javascript:…)` stays a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.action import Action, Bar, Held
from reconciler.plan.model import Plan, ResourcePlan
from reconciler.units import size_text
from reconciler.views.actions import amount, duration, name_of, number_of
from reconciler.views.differences import differences
from reconciler.views.disks import Levels, percent, signed
from reconciler.views.look import Look, listing
from reconciler.views.obstacles import HEADLINES
from reconciler.views.plan import approaches, cause_text, has_news, sentence
from reconciler.views.text import safe

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#!|~&@$]|:(?=//)|(?<=\bwww)\.|^\s*(?:[-+=]|\d+[.)])")
_ENTITIES = "<>&@|`:#"


def escaped(text: str) -> str:
    """`text` as Markdown that shows exactly it, in one line."""
    return _SPECIAL.sub(lambda found: "".join(map(_escape, found[0])), safe(text))


def _escape(char: str) -> str:
    if char in _ENTITIES:
        return f"&#{ord(char)};"
    return char if char.isspace() or char.isdigit() else f"\\{char}"


def plan_markdown(plan: Plan, short: str, look: Look) -> str:
    """The whole plan."""
    lines = list(_lines(plan, short, look))
    return "\n".join(line for line, before in zip(lines, ["#", *lines], strict=False) if line or before) + "\n"


def _lines(plan: Plan, short: str, look: Look) -> Iterator[str]:
    speaking = [part for part in plan.resources if has_news(part)]
    actions = list(plan.actions())
    yield f"## arr plan `{short}`"
    yield ""
    yield f"**{escaped(sentence(actions))}**" if actions else "**Nothing to do.**"
    yield f"Valid until {look.stamp(plan.valid_until)}."
    for part in speaking:
        yield from _resource(part)
    for conflict in plan.conflicts:
        yield from ("", f"> **CONFLICT** {escaped(conflict.title or conflict.subject)}: {escaped(conflict.says)}.")
    for hit in plan.guards:
        yield from ("", f"> **REFUSED** {HEADLINES[hit.guard]}: {escaped(hit.says)}")
    calm = [part.address for part in plan.resources if part not in speaking]
    if calm:
        yield from ("", f"As they should be: {escaped(listing(calm))}.")
    for what, typed in approaches(plan, short):
        yield from ("", f"{what}: `{typed}`")


def _resource(part: ResourcePlan) -> Iterator[str]:
    said = part.proposal
    yield from ("", f"### {escaped(part.address)}", "")
    if said.actions or said.later:
        yield escaped(" ".join(line.strip() for line in cause_text(part)))
    for text in said.errors:
        yield from ("", f"> **ERROR** {escaped(text)}")
    if said.bars:
        yield from ("", *_disks(said.bars))
    if said.actions:
        yield from ("", *_actions(said.actions, Levels(said.bars)))
    for going in said.under_way:
        yield from (
            "",
            f"- under way: {going.action.verb} {escaped(name_of(going.action.subject))} {escaped(going.says)}",
        )
    if said.later:
        yield from ("", f"Later, beyond the pace of now: {escaped(listing([name_of(a.subject) for a in said.later]))}")
    yield from _left_alone(part)
    if said.summary:
        yield from ("", escaped(" ".join(said.summary)))
    if said.not_checked:
        yield from ("", f"Not checked: {escaped(listing(list(said.not_checked)))}")


def _left_alone(part: ResourcePlan) -> Iterator[str]:
    for hit in part.guards:
        word = "APPROVE" if hit.guard == "first-time" else "REFUSED"
        yield from ("", f"> **{word}** {HEADLINES[hit.guard]}: {escaped(' '.join((hit.says, *hit.details)))}")
    for blocked in part.proposal.blocked:
        told = f"{escaped(blocked.what)}. Not known: {escaped(blocked.reason)}. {escaped(blocked.remedy)}"
        yield from ("", f"> **BLOCKED** {told.strip()}")
    if part.proposal.held:
        yield from ("", "Held:", "", *(_held(item) for item in part.proposal.held))


def _held(item: Held) -> str:
    size = f", {size_text(item.bytes)}" if item.bytes else ""
    way = f"; {escaped(item.way_forward)}" if item.way_forward else ""
    return f"- **{escaped(name_of(item.subject))}**{size}: {escaped(item.reason)}{way}"


def _disks(bars: tuple[Bar, ...]) -> Iterator[str]:
    yield "| disk | size | now | after | change | wanted |"
    yield "|---|--:|--:|--:|--:|---|"
    for bar in bars:
        known = bar.size and bar.used is not None and bar.used_after is not None
        size = size_text(bar.size) if bar.size else "?"
        now = percent(bar.used, bar.size) if known and bar.size and bar.used is not None else "?"
        after = percent(bar.used_after, bar.size) if known and bar.size and bar.used_after is not None else "?"
        wanted = escaped(bar.wanted) + ("" if bar.ok else " **not reached**")
        yield f"| {escaped(bar.name)} | {size} | {now} | {after} | {signed(bar.free - bar.free_after)} | {wanted} |"


def _actions(actions: tuple[Action, ...], levels: Levels) -> Iterator[str]:
    yield "| # | what | item | how much | change | why |"
    yield "|--:|---|---|---|---|---|"
    for action in actions:
        item = f"{name_of(action.subject)} [{action.subject.connection}]"
        much = " ".join(text for text in (amount(action.effects), duration(action.effects)) if text)
        steps = [chunk[0].text for chunk in levels.step(action)]
        change = "<br>".join(escaped(text) for text in (*differences(action), *steps))
        why = escaped(" · ".join(text for text in (action.reason, *action.details) if text))
        yield f"| {number_of(action)} | {escaped(action.verb)} | {escaped(item)} | {escaped(much)} | {change} | {why} |"
