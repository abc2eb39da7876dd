"""Every file in `desired/` is valid, fits the editor's schema, and is planned and applied, on the library it speaks of."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from reconciler import registry
from reconciler.desired import schema
from tests.stacks import Lab, lab

DESIRED = Path(__file__).parents[2] / "desired"
FILES = sorted(DESIRED.glob("**/*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_an_example_fits_the_schema_that_editors_use(path: Path) -> None:
    assert path.read_text().startswith("# yaml-language-server: $schema=")
    validator = jsonschema_rs.validator_for(schema(registry.kinds(), registry.apps()))
    assert [e.message for e in validator.iter_errors(yaml.safe_load(path.read_text()))] == []


def written_for(lab: Lab) -> None:
    """The examples as they stand, with the addresses of this stack's servers."""
    lab.desired.mkdir()
    for path in FILES:
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
