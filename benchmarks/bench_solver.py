"""disk_fill's solver against its bound, plain greedy, and the rule of the peers, on libraries of believable shape.

Run by `make bench` through `run()`, or by hand: `python -m benchmarks.bench_solver`. Sizes are lognormal (median 19 GB,
mean 47 GB, largest 1.5 TB), disks of 23 to 36 TB are 96 to 98 % full but for a few roomy ones, and everything above
90 % has to come down to 90 %. Seeds are fixed; only the seconds depend on the machine.

greedy  per source: the largest item that still fits under what is needed, else the smallest that covers the rest; each
        to the disk where it fits tightest; stops at the target
peer    "smallest show to the emptiest disk", until the disk is at its target
"""

from __future__ import annotations

import random
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace

from resources.disk_fill.solver import Disk, Item, Limits, Problem, balanced, check, lower_bound, solve

TB = 10**12
GB = 10**9
Chosen = list[tuple[Item, str]]
Rule = Callable[[list[Item], int, dict[str, int], dict[str, int]], tuple[Item, str] | None]

SIZES = ((300, 4), (5_000, 10), (20_000, 24))
RESTRICTED = (0.0, 0.25, 0.5)


def library(items: int, disks: int, restricted: float, seed: int, most: float = 0.90, settle: float = 0.90) -> Problem:
    """A library of two apps: the second one's share of items (`restricted`) may go to half of the disks only."""
    rng = random.Random(seed)
    sizes = [min(int(rng.lognormvariate(0, 1.34) * 19 * GB), 1_500 * GB) for _ in range(items)]
    roomy = max(1, disks // 5)
    fill = [rng.uniform(0.96, 0.98) for _ in range(disks - roomy)] + [0.05 + 0.3 * (at % 2) for at in range(roomy)]
    raw = [rng.uniform(23, 36) for _ in range(disks)]
    scale = sum(sizes) * 1.01 / sum(part * full for part, full in zip(raw, fill, strict=True))
    capacity = [int(part * scale) for part in raw]
    used = [0] * disks
    names = [f"d{at:02}" for at in range(disks)]
    second = frozenset(names[at] for at in range(disks) if at % 2 == (disks - 1) % 2)
    made = []
    for at, size in enumerate(sizes):
        small = rng.random() < restricted
        places = [d for d in range(disks) if not small or names[d] in second]
        disk = max(places, key=lambda d: fill[d] * capacity[d] - used[d])
        used[disk] += size
        eligible = tuple(sorted(name for name in (second if small else names) if name != names[disk]))
        made.append(Item(f"i{at:05}", size, names[disk], eligible))
    return Problem(
        disks=tuple(
            Disk(
                name,
                free=max(0, int(cap * (1 - full))),
                min_free=int(cap * (1 - most)),
                settle_free=int(cap * (1 - settle)),
                capacity=cap,
            )
            for name, cap, full in zip(
                names, capacity, (u / c for u, c in zip(used, capacity, strict=True)), strict=True
            )
        ),
        items=tuple(made),
        limits=Limits(),
    )


def scarce(problem: Problem, share: float) -> Problem:
    """The same library with so little allowed room that it holds `share` of what has to leave the full disks."""
    need = sum(max(0, max(disk.min_free, disk.settle_free or 0) - disk.free) for disk in problem.disks)
    room = sum(max(0, disk.free - disk.min_free) for disk in problem.disks)
    kept = share * need / room
    disks = tuple(
        replace(disk, free=disk.min_free + int(kept * (disk.free - disk.min_free)))
        if disk.free > disk.min_free
        else disk
        for disk in problem.disks
    )
    return replace(problem, disks=disks)


def greedy(problem: Problem) -> Chosen:
    """Largest first, tightest fit, stop at the target."""
    return _source_by_source(problem, _largest_tightest)


def peer(problem: Problem) -> Chosen:
    """Smallest show to the emptiest disk."""
    return _source_by_source(problem, _smallest_emptiest)


def _source_by_source(problem: Problem, choose: Rule) -> Chosen:
    free = {disk.name: disk.free for disk in problem.disks}
    floor = {disk.name: disk.min_free for disk in problem.disks}
    chosen: Chosen = []
    for disk in sorted(problem.disks, key=lambda disk: disk.name):
        if disk.free >= disk.min_free:
            continue
        target = max(disk.min_free, disk.settle_free or 0)
        left = sorted(
            (item for item in problem.items if item.disk == disk.name), key=lambda item: (item.bytes, item.id)
        )
        while free[disk.name] < target:
            found = choose(left, target - free[disk.name], free, floor)
            if found is None:
                break
            item, to = found
            left.remove(item)
            free[disk.name] += item.bytes
            free[to] -= item.bytes
            chosen.append((item, to))
    return chosen


def _fitting(item: Item, free: dict[str, int], floor: dict[str, int]) -> list[tuple[int, str]]:
    return [(free[name] - floor[name], name) for name in item.eligible if free[name] - floor[name] >= item.bytes]


def _largest_tightest(
    left: list[Item], need: int, free: dict[str, int], floor: dict[str, int]
) -> tuple[Item, str] | None:
    cut = bisect_left(left, need + 1, key=lambda item: item.bytes)
    for item in (*reversed(left[:cut]), *left[cut:]):
        places = _fitting(item, free, floor)
        if places:
            return item, min(places)[1]
    return None


def _smallest_emptiest(
    left: list[Item], _need: int, free: dict[str, int], floor: dict[str, int]
) -> tuple[Item, str] | None:
    for item in left:
        places = _fitting(item, free, floor)
        if places:
            return item, max(places)[1]
    return None


def _cases() -> Iterator[tuple[str, Problem]]:
    for items, disks in SIZES:
        for restricted in RESTRICTED:
            label = f"{items} × {disks}" + (f", {restricted:.0%} restricted" if restricted else "")
            yield label, library(items, disks, restricted, seed=items + round(100 * restricted))
    full = library(20_000, 24, 0.5, seed=5)
    yield "20000 × 24, 50% restricted, room 5% over", scarce(full, 1.05)
    yield "20000 × 24, 50% restricted, room for 90%", scarce(full, 0.9)
    first = min(disk.name for disk in full.disks)
    drained = tuple(replace(disk, drain=disk.name == first) for disk in full.disks)
    yield "20000 × 24, 50% restricted, one drained", replace(full, disks=drained)
    for tolerance in (0.01, 0.0005):
        yield f"balance 5000 × 10, ±{tolerance:.2%}", balanced(library(5_000, 10, 0.0, seed=3), tolerance)


def _row(label: str, problem: Problem) -> dict[str, object]:
    started = time.perf_counter()
    solution = solve(problem)
    seconds = time.perf_counter() - started
    faults = check(problem, solution)
    bound = lower_bound(problem)
    row: dict[str, object] = {
        "case": label,
        "met": solution.met,
        "moved_tb": solution.bytes / TB,
        "bound_tb": bound / TB,
        "gap_percent": 100 * (solution.bytes - bound) / bound if solution.met else None,
        "gap_gb": (solution.bytes - bound) / GB if solution.met else None,
        "missing_tb": sum(short.missing for short in solution.short) / TB,
        "moves": len(solution.moves),
        "seconds": seconds,
        "faults": len(faults),
    }
    if not label.startswith("balance") and not label.endswith("drained"):
        for name, rule in (("greedy", greedy), ("peer", peer)):
            other = rule(problem)
            row[f"{name}_moves"] = len(other)
            row[f"moves_to_{name}"] = len(solution.moves) / len(other)
            row[f"bytes_to_{name}"] = solution.bytes / sum(item.bytes for item, _ in other)
    return row


def run() -> list[dict[str, object]]:
    """One row a case: bytes in TB, seconds of wall time, ratios of ours to greedy's and the peers' rule."""
    return [_row(label, problem) for label, problem in _cases()]


def main() -> None:
    """Print the table."""
    out = sys.stdout
    out.write(
        f"{'case':42} {'moved TB':>9} {'bound TB':>9} {'gap %':>8} {'gap GB':>7} {'short TB':>8} {'moves':>6} {'s':>6}"
        f" {'greedy n':>9} {'×n':>5} {'×bytes':>7} {'peer n':>7} {'×n':>6} {'×bytes':>7}\n"
    )
    for row in run():
        gaps = f"{row['gap_percent']:8.4f} {row['gap_gb']:7.2f}" if row["met"] else f"{'-':>8} {'-':>7}"
        ours = (
            f"{row['case']:42} {row['moved_tb']:9.3f} {row['bound_tb']:9.3f} {gaps} {row['missing_tb']:8.3f}"
            f" {row['moves']:6} {row['seconds']:6.2f}"
        )
        theirs = "".join(
            f" {row[f'{name}_moves']:{wide}} {row[f'moves_to_{name}']:{narrow}.2f} {row[f'bytes_to_{name}']:7.4f}"
            for name, wide, narrow in (("greedy", 9, 5), ("peer", 7, 6))
            if f"{name}_moves" in row
        )
        out.write(ours + theirs + (f"  {row['faults']} FAULTS" if row["faults"] else "") + "\n")


if __name__ == "__main__":
    main()
