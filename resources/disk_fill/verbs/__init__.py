"""What this kind does to the world: `move` an item, and `heal` a move that stopped half-way."""

from resources.disk_fill.verbs.heal import HEAL
from resources.disk_fill.verbs.move import MOVE

__all__ = ["HEAL", "MOVE"]
