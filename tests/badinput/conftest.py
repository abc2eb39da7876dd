"""One small stack for all tests of a module; each begins with the same good wish, and every server well."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.stacks import TINY, Lab, lab


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("badinput"), "tiny") as found:
        yield found


@pytest.fixture
def tiny(stack: Lab) -> Iterator[Lab]:
    """The stack with a desired folder that is right, and no state."""
    for folder in (stack.desired, stack.state):
        shutil.rmtree(folder, ignore_errors=True)
    stack.declare(TINY)
    yield stack
    stack.stack.control.heal()
