"""`/config/mediamanagement`: one row of settings, replaced whole by PUT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.binding import BOOL, INT, STRING, Choice, Kind, Model
from sandbox.errors import Invalid
from sandbox.http import Request, Response
from sandbox.servarr.app import App
from sandbox.values import Json


class Settings:
    """A singleton resource. `defaults` gives its members in order; omitted booleans and numbers become false and 0.

    `check` gives the validation failures of what was sent.
    """

    def __init__(
        self,
        app: App,
        path: str,
        defaults: Json,
        choices: dict[str, Choice],
        check: Callable[[Json], list[Json]] = lambda _sent: [],
    ) -> None:
        self._app, self._path, self._defaults, self._check = app, path, defaults, check
        self._table = app.database.table(f"config{path}")
        fields: dict[str, Any] = {k: choices.get(k) or _kind(v) for k, v in defaults.items()}
        self._model = Model(f"{app.NAME}.Api.V3.Config{path.title()}Resource", {**fields, "id": INT})
        self._fields = fields
        app.api("GET", path, lambda _r: Response(200, self._shown()))
        app.api("GET", path + "/{id}", lambda _r: Response(200, self._shown()))
        app.api("PUT", path, self._put, plain=False)
        app.api("PUT", path + "/{id}", self._put, plain=False)

    def __getitem__(self, name: str) -> Any:
        return self._row()[name]

    def _row(self) -> Json:
        stored = self._table.get(1)
        return {**self._defaults, **(stored or {})}

    def _shown(self) -> Json:
        return {**{k: self._row()[k] for k in self._defaults}, "id": 1}

    def _put(self, request: Request) -> Response:
        sent = request.bind(self._model)
        problems = self._check(sent)
        if problems:
            raise Invalid(*problems)
        now = self._row()
        written = {k: self._written(k, sent, now) for k in self._defaults}
        if 1 in self._table:
            self._table.update({**written, "id": 1})
        else:
            self._table.insert(written)
        where = self._app.location(request.origin, f"{self._path}/1")
        return Response(202, self._shown(), headers=where)

    def _written(self, name: str, sent: Json, now: Json) -> Any:
        """Strings that are not sent stay; a boolean, number or choice that is not sent is reset."""
        if sent.get(name) is not None:
            return sent[name]
        field = self._fields[name]
        if isinstance(field, Choice):
            return field.names[0]
        if field is STRING:
            return now[name]
        return False if field is BOOL else 0


def _kind(value: Any) -> Kind:
    if isinstance(value, bool):
        return BOOL
    return INT if isinstance(value, int) else STRING
