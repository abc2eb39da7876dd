"""A15: a blank id, or one that stands for all, widened one command to everything.

A rescan without an id is a rescan of the whole library, which makes the server forget every file of a show that is on
its way. The client refuses such ids before anything is sent; a command that the server itself widened is not believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.kind import WriteRefused
from resources.clients.servarr import RADARR, SONARR
from tests.stacks import Lab, lab

APPS = {"sonarr": SONARR, "radarr": RADARR}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("a15"), "tiny") as found:
        yield found


def client(tiny: Lab, app: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in tiny.env.items():
        monkeypatch.setenv(name, value)
    key = {"env": f"{app.upper()}_API_KEY"}
    spec = APPS[app].Spec.model_validate({"app": app, "url": tiny.stack[app].url, "api_key": key})
    return APPS[app].open(app, spec, access="write", clock=SystemClock())


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("blank", [0, -1])
def test_a15_a_blank_id_sends_nothing(tiny: Lab, app: str, blank: int, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = client(tiny, app, monkeypatch)
    tiny.stack.control.clear(app)
    with pytest.raises(WriteRefused):
        opened.rescan(blank)
    with pytest.raises(WriteRefused):
        opened.move(blank, "/data/d2/tv/Nobody", move_files=True)
    with pytest.raises(WriteRefused):
        opened.delete_tag(blank)
    opened.close()
    assert [r for r in tiny.stack.control.requests(app) if r["method"] != "GET"] == []


@pytest.mark.parametrize("path", ["", "/", "//", "relative/folder"])
def test_a15_a_blank_path_sends_nothing(tiny: Lab, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = client(tiny, "sonarr", monkeypatch)
    tiny.stack.control.clear("sonarr")
    with pytest.raises(WriteRefused):
        opened.move(1, path, move_files=True)
    opened.close()
    assert [r for r in tiny.stack.control.requests("sonarr") if r["method"] != "GET"] == []
