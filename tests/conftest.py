"""What all tests share: properties are sampled the same way at every run, and a failing sample prints how to repeat it.

In a proof the samples are new each time, so that many proofs see more than one.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests import figures
from tests.effort import PROOF, examples

settings.register_profile("test", derandomize=True, print_blob=True, deadline=None)
settings.register_profile("proof", max_examples=examples(100), print_blob=True, deadline=None)
settings.load_profile("proof" if PROOF else "test")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of a parallel run does not always come to an orderly exit."""
    figures.write()
