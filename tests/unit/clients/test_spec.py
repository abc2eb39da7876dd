"""What a connection says in the desired state, and where its key comes from: wrong input is named, no secret is shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reconciler.clock import FakeClock
from reconciler.connection import redact
from reconciler.facts import ReadFailed
from resources.clients.servarr import RADARR, SONARR
from resources.clients.servarr.key import key_from_config

KEY = {"env": "TV_KEY"}


def spec(**fields: Any) -> Any:
    return SONARR.Spec.model_validate({"app": "sonarr", "url": "http://sonarr:8989", "api_key": KEY, **fields})


def problem(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        spec(**fields)
    assert "0123456789abcdef" not in str(caught.value), "what was typed is not repeated: it may be a key"
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://sonarr:8989", "http://sonarr:8989"),
        ("http://sonarr:8989/", "http://sonarr:8989"),
        ("https://nas.example/sonarr/", "https://nas.example/sonarr"),
        ("http://[::1]:8989", "http://[::1]:8989"),
    ],
)
def test_urls_that_will_do(url: str, kept: str) -> None:
    assert spec(url=url).url == kept


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sonarr:8989", "no URL of a server"),
        ("ftp://sonarr", "no URL of a server"),
        ("http://", "no URL of a server"),
        ("http://sonarr:port", "no URL"),
        ("http://sonarr:99999", "no URL"),
        ("http://sonarr:0", "no URL"),
        ("http://so narr", "no URL"),
        ("http://me:0123456789abcdef@sonarr:8989", "user or password"),
        ("http://sonarr:8989?apikey=0123456789abcdef", "write it without"),
        ("http://sonarr:8989/#/series", "write it without"),
        ("http://sonarr:8989/api/v3", "without /api"),
    ],
)
def test_urls_that_will_not(url: str, words: str) -> None:
    assert words in problem(url=url)


def test_a_key_in_clear_is_an_error_that_does_not_repeat_it() -> None:
    assert "write {env: NAME} or {file: PATH}" in problem(api_key="0123456789abcdef")


@pytest.mark.parametrize("fields", [{"api_key": None}, {"config_xml": "/config/config.xml"}])
def test_one_place_for_the_key(fields: dict[str, Any]) -> None:
    assert "give one of api_key and config_xml" in problem(**fields)


@pytest.mark.parametrize(("timeout", "words"), [("0s", "no server answers in no time"), (30, "with its unit")])
def test_timeouts_that_will_not(timeout: Any, words: str) -> None:
    assert words in problem(timeout=timeout)


def test_defaults() -> None:
    assert (spec().timeout, spec(timeout="2m").timeout, spec().access) == (60, 120, "write")


# config.xml -----------------------------------------------------------------------------------------------------------

CONFIG = "<Config>\n  <Port>8989</Port>\n  <ApiKey>0123456789abcdef0123456789abcdef</ApiKey>\n</Config>"


def test_the_key_is_read_from_the_apps_own_file_and_never_shown(tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    file.write_text(CONFIG)
    assert key_from_config(str(file)) == "0123456789abcdef0123456789abcdef"
    assert redact("key 0123456789abcdef0123456789abcdef") == "key (secret)"
    assert redact("key 0123456789ABCDEF0123456789abcdef") == "key (secret)"


BOMB = '<!DOCTYPE c [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><Config><ApiKey>&b;</ApiKey></Config>'
OUTSIDE = '<!DOCTYPE c [<!ENTITY a SYSTEM "file:///etc/passwd">]><Config><ApiKey>&a;</ApiKey></Config>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("", "is no config.xml"),
        ("<Config><ApiKey>x", "is no config.xml"),
        (BOMB, "declares a document type"),
        (OUTSIDE, "declares a document type"),
        ("<Config><ApiKey></ApiKey></Config>", "holds no <ApiKey>"),
        ("<Other><ApiKey>abc</ApiKey></Other>", "holds no <ApiKey>"),
        ("<Config><Deep><ApiKey>abc</ApiKey></Deep></Config>", "holds no <ApiKey>"),
        ("<Config>" + " " * (1 << 20) + "</Config>", "over 1 MiB"),
    ],
    ids=["missing", "empty", "cut", "entities", "outside", "no key", "another file", "elsewhere", "huge"],
)
def test_files_that_hold_no_key(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "config.xml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ReadFailed, match=words) as caught:
        key_from_config(str(file))
    assert caught.value.code == "secret"
    assert caught.value.remedy


@pytest.mark.parametrize("key", ["with\nnewline", "sch\u00fcssel-schl\u00fcssel"])
def test_a_key_that_no_header_can_carry(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("TV_KEY", key)
    with pytest.raises(ReadFailed) as caught:
        SONARR.open("tv", spec(), access="read", clock=FakeClock())
    assert caught.value.code == "secret"
    assert key not in str(caught.value)


def test_a_missing_variable_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TV_KEY", raising=False)
    with pytest.raises(ReadFailed, match="TV_KEY is not set"):
        RADARR.open("films", spec(), access="read", clock=FakeClock())


def test_a_refused_key_from_a_file_names_the_variable_that_overrides_it(tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    file.write_text(CONFIG)
    opened: Any = SONARR.open("tv", spec(api_key=None, config_xml=str(file)), access="read", clock=FakeClock())
    assert "SONARR__AUTH__APIKEY" in opened.http.where.key_remedy
    opened.close()


def test_nothing_of_http_is_imported_before_a_connection_is_opened() -> None:
    """`arr validate` and `arr --help` stay quick."""
    code = (
        "import sys, resources.clients.servarr, resources.tag; print({'httpx', 'httpcore', 'ssl'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
