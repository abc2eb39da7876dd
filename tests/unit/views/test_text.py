"""Names are data: whatever they hold, a line stays within its width and nothing steers the terminal."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from reconciler.action import Action, Proposal
from reconciler.views.actions import Actions
from reconciler.views.disks import Levels
from reconciler.views.markdown import plan_markdown
from reconciler.views.plan import plan_page, typed
from reconciler.views.text import Page, Span, safe, span, words
from tests.unit.views import examples as e

ANY_TEXT = st.text(st.characters(), max_size=120)
STEERING = ("Cc", "Cf", "Cs", "Zl", "Zp")


def steers(text: str) -> list[str]:
    return [c for c in text if unicodedata.category(c) in STEERING and c not in "\u200c\u200d\n"]


@given(ANY_TEXT)
def test_safe_leaves_nothing_that_steers(text: str) -> None:
    """No control character, direction override or lone surrogate gets through; the text can be encoded."""
    shown = safe(text)
    assert steers(shown) == []
    assert "\n" not in shown
    shown.encode()


def test_safe_shows_what_it_replaced() -> None:
    """A replaced character is still told apart from another one."""
    assert safe("a\x1bb\x7fc\u202ed\udc80") == "a␛b␡c<U+202E>d<U+DC80>"
    assert safe("進撃 é [x] {y}") == "進撃 é [x] {y}"


@given(title=ANY_TEXT, reason=ANY_TEXT, path=ANY_TEXT)
def test_any_name_fits(title: str, reason: str, path: str) -> None:
    """A plan with any names fits 80 cells, and is the same text with colour."""
    action = e.EXPANSE.model_copy(
        update={"subject": e.show(title, 1), "reason": reason, "after": {"path": path}, "details": (path, reason)}
    )
    plan = e.plan(e.MEDIA.model_copy(update={"proposal": Proposal(actions=(action,))}))
    page = plan_page(plan, "7k3f", e.LOOK)
    text = page.plain()
    assert [line for line in text.split("\n") if cell_len(line) > 80] == []
    assert steers(text) == []
    assert page.styled().plain + "\n" == text


@given(title=st.text(st.characters(), min_size=1, max_size=60))
def test_any_name_survives_wrapping(title: str) -> None:
    """Wrapping loses no character but spaces."""
    page = Page()
    Actions(page, Levels(())).write(
        e.EXPANSE.model_copy(update={"subject": e.show(title, 1), "before": {}, "after": {}})
    )
    squeezed = page.plain().replace(" ", "").replace("\n", "")
    assert safe(title).replace(" ", "") in squeezed


@given(title=st.text(st.characters(), min_size=1, max_size=60))
def test_markdown_holds_no_markup_of_a_name(title: str) -> None:
    """A name opens no link, tag, code or table cell in Markdown."""
    plain = e.EXPANSE.model_copy(update={"subject": e.show("", 1)})
    named = e.EXPANSE.model_copy(update={"subject": e.show(title, 1)})

    def bare(action: Action) -> int:
        text = plan_markdown(e.plan(e.MEDIA.model_copy(update={"proposal": Proposal(actions=(action,))})), "x", e.LOOK)
        return len(re.findall(r"(?<!\\)[`*_\[\]<>|]", text))

    assert bare(named) == bare(plain)


@given(title=st.text(st.characters(), max_size=60))
def test_a_name_to_type_is_one_word_of_a_shell(title: str) -> None:
    """What the plan says to type is the title in quotes, or the key, never something that a shell would run."""
    told = typed(e.show(title, 280619))
    assert told == "tvdb:280619" or not re.search(r"[\"'`$!\\\x00-\x1f]", told[1:-1])


def test_edges_go_below_each_other_when_there_is_no_room() -> None:
    """A right edge never overwrites the left one."""
    page = Page()
    page.edges([span("x" * 60)], [span("y" * 30)])
    assert page.plain().splitlines() == ["x" * 60, "   " + "y" * 30]


def test_wide_characters_count_double() -> None:
    """Forty wide characters fill a line; the next word goes to the following one."""
    page = Page()
    page.pack(words("進" * 40 + " b"), sep=" ", hang=2)
    assert page.plain().splitlines() == ["進" * 40, "  b"]


def test_a_command_is_not_broken() -> None:
    """What is to be typed can be copied; the words after it break as any."""
    page = Page()
    page.flow(
        "x" * 60 + " again now: arr plan --retry tvdb:70002; or close it: arr settle r000012/disk_fill.media/1 by hand"
    )
    assert page.plain().splitlines() == [
        "x" * 60 + " again now:",
        "arr plan --retry tvdb:70002; or close it: arr settle r000012/disk_fill.media/1",
        "by hand",
    ]


def test_no_blank_lines_at_the_ends() -> None:
    """A page begins and ends with text, and never has two blank lines."""
    page = Page()
    page.blank()
    page.line(Span("a"))
    page.blank()
    page.blank()
    page.line(Span("b"))
    page.blank()
    assert page.plain() == "a\n\nb\n"
