from pathlib import Path

import pytest

from tests.unit.desired.parts import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "desired"
    path.mkdir()
    return Folder(path)
