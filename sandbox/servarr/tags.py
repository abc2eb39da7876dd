"""`/tag` and `/tag/detail`: labels, case and all their quirks."""

from __future__ import annotations

import re

from sandbox.binding import INT, STRING, Model
from sandbox.errors import Failed, Invalid, failure, model_not_found, null_reference, unique_violation
from sandbox.http import Request, Response
from sandbox.servarr.app import App
from sandbox.values import Json


class Tags:
    """The table and its controller. `validates`: the rule of newer servers on labels is applied."""

    def __init__(self, app: App, *, validates: bool) -> None:
        self._app, self._validates = app, validates
        self.table = app.database.table("tags")
        self._model = Model(f"{app.NAME}.Api.V3.Tags.TagResource", {"id": INT, "label": STRING})
        app.api("GET", "/tag", lambda _r: Response(200, self._sorted()))
        app.api("GET", "/tag/detail", lambda _r: Response(200, [self._detail(t) for t in self._sorted()]))
        app.api("GET", "/tag/{id}", lambda r: Response(200, self._find(r)))
        app.api("GET", "/tag/detail/{id}", lambda r: Response(200, self._detail(self._find(r))))
        app.api("POST", "/tag", self._post, plain=False)
        app.api("PUT", "/tag", self._put, plain=False)
        app.api("PUT", "/tag/{id}", self._put, plain=False)
        app.api("DELETE", "/tag/{id}", self._delete)

    def ensure(self, label: str) -> int:
        """The id of the tag with this label, made when there is none (seeds)."""
        found = next((t for t in self.table.each() if t["label"] == label.lower()), None)
        return int((found or self.table.insert({"label": label.lower()}))["id"])

    def purge(self) -> None:
        """Deletes the tags nothing uses, as the daily housekeeping does."""
        unused = [t["id"] for t in self.table.all() if not any(self._app.tag_users(t["id"]).values())]
        self.table.delete(*unused)

    def _sorted(self) -> list[Json]:
        return sorted((_shown(t) for t in self.table.all()), key=lambda t: str(t["label"]))

    def _find(self, request: Request) -> Json:
        row = self.table.get(request.params["id"])
        if row is None:
            raise self._app.missing()
        return _shown(row)

    def _detail(self, tag: Json) -> Json:
        return {"label": tag["label"], **self._app.tag_users(tag["id"]), "id": tag["id"]}

    def _read(self, request: Request) -> Json:
        sent: Json = request.bind(self._model)
        label = sent.get("label")
        if self._validates and (not label or not label.strip()):
            raise Invalid(failure("Label", "'Label' must not be empty.", "NotEmptyValidator", label))
        if self._validates and label and not re.fullmatch("[a-z0-9-]+", label, re.IGNORECASE):
            pattern = "^[a-z0-9-]+$"
            told = "Allowed characters a-z, 0-9 and -"
            raise Invalid(failure("Label", told, "RegularExpressionValidator", label, regularExpression=pattern))
        if label is None:
            raise null_reference()
        return sent

    def _post(self, request: Request) -> Response:
        sent = self._read(request)
        label, ident = sent["label"], sent.get("id", 0)
        same = next((t for t in self.table.each() if t["label"] == label), None)
        if same is None:
            if ident:
                raise self._app.misused(f"Can't insert model with existing ID {ident}")
            self._require_unique(label)
            same = self.table.insert({"label": label.lower()})
        return Response(201, _shown(same), headers=self._app.location(request.origin, f"/tag/{same['id']}"))

    def _require_unique(self, label: str, but: int = 0) -> None:
        if any(t["label"] == label.lower() and t["id"] != but for t in self.table.each()):
            raise unique_violation("Tags.Label")

    def _put(self, request: Request) -> Response:
        sent = self._read(request)
        ident = sent.get("id") or request.params.get("id", 0)
        if ident <= 0:
            told = "'Id' must be greater than '0'."
            more: Json = {"comparisonValue": 0, "comparisonProperty": ""}
            raise Invalid(failure("Id", told, "GreaterThanValidator", ident, **more))
        if ident not in self.table:
            raise model_not_found("Tag", ident)
        self._require_unique(sent["label"], but=ident)
        row = {"id": ident, "label": sent["label"].lower()}
        self.table.update(row)
        return Response(202, _shown(row), headers=self._app.location(request.origin, f"/tag/{ident}"))

    def _delete(self, request: Request) -> Response:
        row = self.table.get(request.params["id"])
        if row is None:
            raise model_not_found("Tag", request.params["id"])
        if any(self._app.tag_users(row["id"]).values()):
            told = f"Tag with ID {row['id']} '{row['label']}' cannot be deleted since it's still in use"
            raise Failed(409, told, "NzbDrone.Core.Datastore.ModelConflictException")
        self.table.delete(row["id"])
        return Response(200)


def _shown(row: Json) -> Json:
    return {"label": row["label"], "id": row["id"]}
