"""Which items to move between disks so that every disk reaches its target with the fewest bytes.

Called by the planner of `disk_fill`, by its laws and by the benchmarks. It is a pure function of a `Problem`: no I/O,
no clock, no randomness, nothing but the standard library, and the order of disks and items in the input does not
matter. It keeps the laws "pure" and "fixed point": the state it leads to asks for no further move.

    problem = Problem(disks=(Disk("d1", free=10, min_free=20), Disk("d2", free=90)), items=(Item("a", 15, "d1", ("d2",)),))
    solution = solve(problem)      # moves, what is reached, the bytes any plan needs, and why a target is missed
    check(problem, solution)       # () when every prefix of the moves is allowed; else the faults as sentences
"""

from resources.disk_fill.solver.balance import balanced
from resources.disk_fill.solver.bound import lower_bound
from resources.disk_fill.solver.check import check
from resources.disk_fill.solver.model import (
    Disk,
    DiskAfter,
    Item,
    Limits,
    Move,
    Problem,
    Shortfall,
    Solution,
)
from resources.disk_fill.solver.solve import solve

__all__ = [
    "Disk",
    "DiskAfter",
    "Item",
    "Limits",
    "Move",
    "Problem",
    "Shortfall",
    "Solution",
    "balanced",
    "check",
    "lower_bound",
    "solve",
]
