"""How much the sampling tests try: a little in `make test`, much more in `make proof` (`ARR_PROOF=1`), and where chance begins.

Both draw the same each time, so that who runs them again sees the same. `make search` (`ARR_SEED`, any text) draws what nobody
has drawn before; what it finds is kept as a file and tried by both from then on.
"""

from __future__ import annotations

import os
import random

PROOF = bool(os.environ.get("ARR_PROOF"))
SEED = os.environ.get("ARR_SEED", "")


def examples(count: int) -> int:
    """Examples of a property: `count`, or twenty times as many in a proof."""
    return count * 20 if PROOF else count


def seed(*names: object) -> int:
    """Where chance begins for what is called so: the same number in each run, another one for each `ARR_SEED`."""
    return random.Random(" ".join(map(str, (SEED, *names)))).getrandbits(32)
