"""Laws of the proposal over random worlds: fixed point, pure, no disk overfilled at any step, never worse."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.facts import Facts
from resources.disk_fill import KIND
from tests.effort import examples
from tests.kinds.disk_fill.made import GB, NOW, Made, Server, film, show

SIZE = 1000 * GB


@st.composite
def worlds(draw: st.DrawFn) -> Made:
    """Two apps over three to five disks; some items excluded, some disks of one app only, some drained."""
    count = draw(st.integers(3, 5))
    sonarr, radarr = Server("sonarr"), Server("radarr")
    used = [draw(st.integers(0, 300)) * GB for _ in range(count)]
    number = 0
    for disk in range(count):
        for _ in range(draw(st.integers(0, 6))):
            number += 1
            size = draw(st.integers(1, 150)) * GB
            if used[disk] + size > SIZE - 5 * GB:
                continue
            used[disk] += size
            tags = ("pinned",) if draw(st.integers(0, 5)) == 0 else ()
            if draw(st.booleans()):
                sonarr.items.append(show(number, f"Show {number}", size, f"/tv{disk}", 3, tags))
            else:
                radarr.items.append(film(number, f"Film {number}", size, f"/films{disk}", tags))
    lines = []
    for disk in range(count):
        free = (SIZE - used[disk] + disk, SIZE)  # no two disks have the same free space to the byte
        roots = {"sonarr": f"/tv{disk}", "radarr": f"/films{disk}"}
        if draw(st.integers(0, 4)) == 0 and not any(i.path.startswith(f"/films{disk}/") for i in radarr.items):
            del roots["radarr"]
        else:
            radarr.roots[f"/films{disk}"] = free
        sonarr.roots[f"/tv{disk}"] = free
        wish = draw(st.sampled_from(["max: 85%", "max: 60%", "keep_free: 150 GB", "drain: true", "distinct: true"]))
        lines.append(f"d{disk}: {{roots: {{{', '.join(f'{c}: {r}' for c, r in roots.items())}}}, {wish}}}")
    balance = draw(st.sampled_from(["true", "false", "false"]))
    names = ", ".join(f"d{n}" for n in range(count))
    spec = f"{{disks: [{names}], exclude: {{tags: [pinned]}}, balance: {balance}}}"
    return Made({"sonarr": sonarr, "radarr": radarr}, "\n".join(lines), spec)


@settings(max_examples=examples(60), deadline=None)
@given(worlds())
def test_done_means_nothing_left_and_no_step_overfills(made: Made) -> None:
    proposal = made.plan()
    assert proposal.errors == () and proposal.blocked == ()
    free = {bar.name: bar.free for bar in proposal.bars}
    limits = {bar.name: bar for bar in proposal.bars}
    declared = made.stack().disks
    pinned = {item.ident for server in made.servers.values() for item in server.items if item.tags}
    for action in proposal.actions:
        assert all(needed in {a.id for a in proposal.actions} for needed in action.requires)
        for disk, change in action.effects.disks.items():
            free[disk] -= change
            if change > 0:
                least = max(declared[disk].keep_free or 0, SIZE - int(SIZE * (declared[disk].max or 1)))
                assert free[disk] >= least, f"{disk} is overfilled by {action.subject.title}"
                assert not declared[disk].drain
        assert action.subject.key not in pinned
    assert free == {name: bar.free_after for name, bar in limits.items()}
    assert sum(free.values()) == sum(bar.free for bar in proposal.bars)
    again = made.after(proposal.actions).plan()
    assert again.actions == (), [a.subject.title for a in again.actions]


@settings(max_examples=examples(25), deadline=None)
@given(worlds(), st.randoms())
def test_the_order_of_the_answers_does_not_matter(made: Made, chance: object) -> None:
    facts, ledger, resource = made.facts(), made.ledger, made.resource()
    first = KIND.plan(resource, facts, ledger, NOW).model_dump_json()
    mixed = list(facts.answers.items())
    chance.shuffle(mixed)  # type: ignore[attr-defined]  # it is a random.Random
    assert KIND.plan(resource, Facts(dict(mixed)), ledger, NOW).model_dump_json() == first
