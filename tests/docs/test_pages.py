"""The pages: every internal link leads somewhere, every page can be reached from the README, every limit has its way round."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler import registry

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


def pages() -> list[Path]:
    """Every Markdown file of the project: what lies beside it and is not ours is left out."""
    found = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    for folder in ("docs", "state", "sandbox", "benchmarks", "desired", "tests"):
        found += sorted((ROOT / folder).rglob("*.md"))
    return [p for p in found if p.exists() and ".venv" not in p.parts and "scenarios" not in p.parts]


def anchors(page: Path) -> set[str]:
    """The names of its headings, as the usual viewers make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name} → {link}"
        assert target.is_relative_to(ROOT), f"{page.name} → {link}"
        if anchor:
            assert anchor in anchors(target), f"{page.name} → {link}"


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            inside = sorted(target.glob("*.md")) if target.is_dir() else [target]
            waiting += [p for p in inside if p.suffix == ".md"]
    assert [p.name for p in (ROOT / "docs").glob("*.md") if p not in reached] == []


def test_every_kind_is_named_for_newcomers() -> None:
    """In the changelog, which is the list of what there is."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [name for name in registry.kinds() if f"`{name}`" not in changelog] == []


def test_every_limit_has_a_way_round() -> None:
    text = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    limits = re.split(r"^- ", text.partition("\n## ")[2], flags=re.MULTILINE)[1:]
    assert len(limits) > 20
    for limit in limits:
        told = limit.partition("\n## ")[0]
        assert told.startswith("**"), told
        assert "Way round: " in " ".join(told.split()), told
