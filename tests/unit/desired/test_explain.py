"""What can be written can be explained, from the same models; what cannot is answered with what was meant."""

import pytest

from reconciler import registry
from reconciler.desired.explain import Explained, explain
from reconciler.errors import UsageError
from tests.unit.desired.parts import APPS, KINDS


def of(path: str) -> Explained:
    return explain(path, KINDS, APPS)


def child(path: str, name: str) -> Explained:
    return next(c for c in of(path).children if c.name == name)


def test_everything_has_sections_and_kinds() -> None:
    assert [c.name for c in of("").children] == ["connections", "disks", "paths", "protect", "guards", "keep", "label"]


def test_kind() -> None:
    keep = of("keep")
    assert (keep.type, keep.description) == ("mapping of name to what is wanted", "Disks stay below their limits.")
    assert {"disks", "settle", "any", "paused", "guard"} <= {c.name for c in keep.children}


@pytest.mark.parametrize(
    ("path", "type", "default", "required"),
    [
        ("keep.disks", "list of text", None, True),
        ("keep.settle", "percent, as 85%", "3%", False),
        ("keep.most", "size, as 500 GB", None, False),
        ("keep.how", "one of gently, quickly", "gently", False),
        ("keep.any", "list of text or whole number", "[]", False),
        ("keep.grid", "mapping of name to list of text", "{}", False),
        ("keep.balance", "true or false", "false", False),
        ("keep.pace", "mapping", "{per_run: 2, cooldown: 90d}", False),
        ("keep.pace.cooldown", "age, as 90d", "90d", False),
        ("keep.guard.max", "whole number, at least 0", None, False),
        ("connections.shelf.port", "whole number from 1 to 65535", "22", False),
        ("connections.box.api_key", "secret reference, as {env: NAME} or {file: PATH}", None, False),
        ("connections.box.api_key.env", "text", None, False),
        ("connections.box.access", "one of read, write", "write", False),
        ("disks.roots", "mapping of name to text or list of text", None, True),
        ("disks.max", "percent, as 85%", None, False),
        ("guards.destroy.max_bytes", "size, as 500 GB", None, False),
    ],
)
def test_field(path: str, type: str, default: str | None, required: bool) -> None:
    found = of(path)
    assert (found.path, found.type, found.required) == (path, type, required)
    assert found.default == default


def test_children_carry_what_is_said_of_them() -> None:
    settle = child("keep", "settle")
    assert (settle.path, settle.type, settle.default) == ("keep.settle", "percent, as 85%", "3%")
    assert settle.description == "How far below."
    assert settle.children == ()


@pytest.mark.parametrize(
    ("path", "message", "remedy"),
    [
        ("kep", "there is nothing called kep", "did you mean keep?"),
        ("keep.setle", "keep has no field setle", "did you mean settle?"),
        ("keep.settle.x", "keep.settle has no field x", "keep.settle has no fields"),
        ("connections.bax", "connections has no field bax", "did you mean box?"),
    ],
)
def test_unknown(path: str, message: str, remedy: str) -> None:
    with pytest.raises(UsageError, match=message) as e:
        of(path)
    assert remedy in e.value.remedy


def test_every_field_of_what_is_installed_is_explained() -> None:
    """A field without a description is a field that nobody explained to its users. What holds itself is walked once."""
    kinds, apps = registry.kinds(), registry.apps()
    todo, silent = [""], []
    while todo:
        found = explain(todo.pop(), kinds, apps)
        above = found.path.split(".")
        todo += [c.path for c in found.children if c.name not in above]
        silent += [found.path] if not found.description else []
    assert not silent
