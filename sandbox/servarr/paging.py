"""The paged answers: page, size, sort key and direction, and what lies past the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.http import Request
from sandbox.values import Json

_DIRECTIONS = ("default", "ascending", "descending")


@dataclass(frozen=True)
class Page:
    """What a client asked for; an unknown sort key has become the default already."""

    page: int
    size: int
    sort_key: str
    direction: str


def read_page(request: Request, sort_keys: tuple[str, ...]) -> Page:
    """The paging of a request; the first of `sort_keys` is the default. Problem (400) for values that do not bind."""
    query = request.query
    page = query.integer("page", 1, "Page")
    size = query.integer("pageSize", 10, "PageSize")
    wanted = (query.text("sortKey") or "").lower()
    key = next((k for k in sort_keys if k.lower() == wanted), sort_keys[0])
    direction = query.choice("sortDirection", _DIRECTIONS, "descending", "SortDirection")
    return Page(
        1 if page is None else page,
        10 if size is None else size,
        key,
        "descending" if direction == "default" else direction,
    )


def paged(page: Page, rows: list[Json], show: Callable[[Json], Json], *, rewinds: bool = False) -> Json:
    """The answer for rows that are sorted already. `rewinds`: a page past the end becomes the last one there is."""
    number = page.page
    if rewinds and page.size > 0:
        last = max(1, -(-len(rows) // page.size))
        number = min(max(1, number), last)
    start = max(0, number - 1) * page.size
    return {
        "page": number,
        "pageSize": page.size,
        "sortKey": page.sort_key,
        "sortDirection": page.direction,
        "totalRecords": len(rows),
        "records": [show(r) for r in rows[start : start + page.size]] if page.size > 0 else [],
    }
