"""How much the sampling tests try: a little in `make test`, much more in `make proof` (`ARR_PROOF=1`)."""

from __future__ import annotations

import os

PROOF = bool(os.environ.get("ARR_PROOF"))


def examples(count: int) -> int:
    """Examples of a property: `count`, or twenty times as many in a proof."""
    return count * 20 if PROOF else count
