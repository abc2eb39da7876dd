"""Every file in `desired/` is valid, fits the editor's schema, and is planned and applied, on the servers it speaks of.

`library` here, on a simulated Sonarr and Radarr; `seedbox` on rtorrent and OpenSSH, in `tests/live/path`, whose scene is made
of that very folder.
"""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from reconciler import registry
from reconciler.desired import load, schema
from sandbox.seedbox.scene import EXAMPLE
from tests.stacks import Lab, lab

DESIRED = Path(__file__).parents[2] / "desired"
FILES = sorted(DESIRED.glob("**/*.yaml"))
LIBRARY = DESIRED / "library"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(DESIRED)))
def test_an_example_fits_the_schema_that_editors_use(path: Path) -> None:
    assert path.read_text().startswith("# yaml-language-server: $schema=")
    validator = jsonschema_rs.validator_for(schema(registry.kinds(), registry.apps()))
    assert [e.message for e in validator.iter_errors(yaml.safe_load(path.read_text()))] == []


def test_every_example_is_run_by_a_test_and_every_kind_has_one() -> None:
    assert {path.parent for path in FILES} == {LIBRARY, EXAMPLE}
    told = [yaml.safe_load(path.read_text()) for path in FILES]
    assert registry.kinds().keys() <= {section for one in told for section in one}


def test_the_examples_of_all_folders_are_one_valid_stack() -> None:
    load([DESIRED], kinds=registry.kinds(), apps=registry.apps())


def written_for(lab: Lab) -> None:
    """The examples as they stand, with the addresses of this stack's servers."""
    lab.desired.mkdir()
    for path in LIBRARY.glob("*.yaml"):
        text = path.read_text()
        for name, handle in lab.stack.handles.items():
            text = re.sub(rf'({name}: {{app: \w+, url: )"[^"]+"', rf'\1"{handle.url}"', text)
        (lab.desired / path.name).write_text(text)


def test_the_examples_are_planned_and_applied_until_nothing_is_left(tmp_path: Path) -> None:
    with lab(tmp_path, "library") as found:
        written_for(found)
        assert found.arr("validate").returncode == 0
        before = sum(found.files().values())
        plan = found.json("plan")
        assert plan["plan"]["resources"][0]["proposal"]["actions"]
        done = found.arr("apply", plan["short"], "--approve", plan["short"])
        assert done.returncode == 0, done.stdout + done.stderr
        again = found.arr("plan", "--detailed-exitcode")
        assert again.returncode == 0, again.stdout
        assert sum(found.files().values()) == before
        bars = found.json("plan")["plan"]["resources"][0]["proposal"]["bars"]
        assert all(bar["ok"] and bar["used"] / bar["size"] <= 0.85 for bar in bars)
