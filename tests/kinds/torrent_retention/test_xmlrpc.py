"""The XML of answers: bombs are refused, what is cut is known as cut, and no bytes make anything but an answer or a refusal."""

from __future__ import annotations

import xmlrpc.client
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.clients.rtorrent.plain import plain
from resources.clients.rtorrent.xmlrpc import _NO_CONTROL, Broken, Fault, answer, call

BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b"<methodResponse><params><param><value><string>&b;</string></value></param></params></methodResponse>"
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.integers(-(2**63), 2**63 - 1)
    | st.booleans()
    | st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=12,
)


def response(inner: str) -> bytes:
    return f"<?xml version='1.0'?><methodResponse><params><param>{inner}</param></params></methodResponse>".encode()


@given(VALUES)
def test_what_is_sent_is_what_is_read(value: Any) -> None:
    """Every value goes there and back, integers beyond 2^31 and names with markup too."""
    sent = call("m", [value]).decode().partition("<param>")[2].rpartition("</param>")[0]
    assert answer(response(sent)) == (value if not isinstance(value, tuple) else list(value))
    assert type(answer(response(sent))) is type(value)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (BOMB, "malformed"), (b"", "truncated"), (b"<html><body>login</body></html>", "malformed"),
        (response("<value>" + "<array><data><value>" * 200), "malformed"), (response("<value><i8>x</i8></value>"), "malformed"),
        (response("<value><i8>" + "9" * 5000 + "</i8></value>"), "malformed"), (response("")[:-30], "truncated"),
        (response("<value><struct><member><name>a</name></member></struct></value>"), "malformed"),
    ],
    ids=["entities", "nothing", "a web page", "deep", "no number", "long number", "cut", "half a member"],
)  # fmt: skip
def test_what_is_no_answer_is_refused(document: bytes, code: str) -> None:
    with pytest.raises(Broken) as told:
        answer(document)
    assert told.value.code == code


def test_a_fault_and_control_characters() -> None:
    fault = xmlrpc.client.dumps(xmlrpc.client.Fault(-507, "not allowed"), methodresponse=True).encode()
    with pytest.raises(Fault) as told:
        answer(fault)
    assert (told.value.code, told.value.text) == (-507, "not allowed")
    assert answer(response("<value><string>a\x01b</string></value>")) == "a\x7fb"
    assert answer(response("<value>bare</value>")) == "bare"


LISTS = st.recursive(
    st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(LISTS), st.sampled_from(["", "\n", "\r\n"]))
def test_the_quick_way_reads_the_same(value: list[Any], gap: str) -> None:
    """As rtorrent's two libraries write it, with white space between the values and without."""
    sent = call("m", [value]).decode().partition("<param>")[2].rpartition("</param>")[0].replace("\x7f", " ")
    document = response(
        sent.replace("<data><value>", f"<data>{gap}<value>").replace("</value><value>", f"</value>{gap}<value>")
    )
    document = document.translate(_NO_CONTROL)
    quick = plain(document)
    assert quick == answer(document) or (quick is None and b"&#" in document)


@given(st.sampled_from([*b'<>/&;"\\,[]{}0123456789-nul \n\r\t\x01\xff']) | st.integers(0, 255), st.data())
def test_the_quick_way_leaves_to_the_parser_what_is_otherwise(byte: int, data: st.DataObject) -> None:
    """One byte more or another one, anywhere: the quick way reads what the parser reads, or nothing."""
    inner = "".join(f"<value><i8>{n}</i8></value><value><string>a{n}</string></value>" for n in range(3))
    whole = response(f"<value><array><data><value><array><data>{inner}</data></array></value></data></array></value>")
    at, over = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 1))
    document = (whole[:at] + bytes([byte]) + whole[at + over :]).translate(_NO_CONTROL)
    try:
        expected = answer(document)
    except (Broken, Fault):
        expected = None
    assert plain(document) in (None, expected)


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_are_answered_or_refused(noise: bytes, at: int) -> None:
    whole = response(
        "<value><array><data><value><i8>1</i8></value><value><string>x</string></value></data></array></value>"
    )
    for document in (noise, whole[:at] + noise + whole[at:]):
        try:
            answer(document)
        except (Broken, Fault):
            continue
