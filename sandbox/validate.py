"""Checks the sandbox's answers against the servers' own OpenAPI documents. For development and tests only.

A server process that finds `ARR_SANDBOX_SPECS` (the folder of the documents) in its environment validates each JSON
answer it gives and writes what is wrong to `violations.jsonl` in its folder, where `process.Stack.violations` reads it.
The real servers break their documents in places; those stand, one by one, in `OVERLAY`, and nowhere else is an answer
allowed to differ.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs

from sandbox.http import Connection, Request, Response, Server
from sandbox.values import Json

DOCUMENTS = {"sonarr": "sonarr-v3.json", "sonarr-v5": "sonarr-v3.json", "radarr": "radarr-v3.json"}
VIOLATIONS = "violations.jsonl"
_TEXT: Json = {"type": "string"}
_NUMBER: Json = {"type": "integer"}
_NUMBERS: Json = {"type": "array", "items": {"type": "integer"}}
_OBJECTS: Json = {"type": "array", "items": {"type": "object"}}

# What real servers answer that their documents do not know, by app and schema: members that are there besides, and
# members whose type differs. The recordings are the proof of each.
_BOTH: dict[str, Json] = {
    # A command's body has its own arguments beside what all commands have.
    "Command": {
        "seriesId": _NUMBER,
        "seriesIds": _NUMBERS,
        "isNewSeries": {"type": "boolean"},
        "series": _OBJECTS,
        "movieId": _NUMBER,
        "movieIds": _NUMBERS,
        "isNewMovie": {"type": "boolean"},
        "movies": _OBJECTS,
        "collectionIds": _NUMBERS,
        "sourcePath": _TEXT,
        "destinationPath": _TEXT,
        "destinationRootFolder": _TEXT,
        "files": {"type": "array"},
        "importMode": _TEXT,
        "path": _TEXT,
        "downloadClientId": _TEXT,
        "sendUpdates": {"type": "boolean"},
        "type": _TEXT,
    },
    # Documented as an object of URL parts.
    "HealthResource": {"wikiUrl": _TEXT},
}
OVERLAY: dict[str, dict[str, Json]] = {
    "sonarr": _BOTH,
    "radarr": _BOTH,
    # Sonarr 5 serves the old API with members its old document lacks.
    "sonarr-v5": {
        **_BOTH,
        "CommandResource": {"result": {"enum": ["unknown", "successful", "unsuccessful", "indeterminate"]}},
        "MediaManagementConfigResource": {
            "userRejectedExtensions": _TEXT,
            "seasonPackUpgrade": _TEXT,
            "seasonPackUpgradeThreshold": {"type": "number"},
        },
        "RootFolderResource": {"totalSpace": _NUMBER},
        "SystemResource": {"isContainerized": {"type": "boolean"}},
        "TagDetailsResource": {"excludedReleaseProfileIds": _NUMBERS},
    },
}


class Validator:
    """The answers of one app's document. `check` gives what is wrong, as text; an unknown path is not its business."""

    def __init__(self, folder: Path, app: str) -> None:
        self._document = _overlaid(json.loads((folder / DOCUMENTS[app]).read_text()), OVERLAY[app])
        self._paths = [(_pattern(path), operations) for path, operations in self._document["paths"].items()]
        self._paths.sort(key=lambda p: p[0].pattern.count("[^/]+"))
        self._compiled: dict[str, Any] = {}

    def check(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """The violations of one JSON answer; answers that are no success are not described, and pass."""
        if status not in (200, 201, 202):
            return []
        schema = self._schema(method.lower(), path)
        if schema is None:
            return []
        key = json.dumps(schema, sort_keys=True)
        if key not in self._compiled:
            whole = {**schema, "components": self._document["components"]}
            self._compiled[key] = jsonschema_rs.validator_for(whole)
        return [f"{e.instance_path}: {e.message}"[:400] for e in self._compiled[key].iter_errors(body)]

    def _schema(self, method: str, path: str) -> Json | None:
        for pattern, operations in self._paths:
            if pattern.fullmatch(path) and method in operations:
                content = operations[method]["responses"].get("200", {}).get("content", {})
                found: Json | None = next((c["schema"] for c in content.values() if "schema" in c), None)
                return found
        return None


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "/?", re.IGNORECASE)


def _overlaid(document: Json, overlay: dict[str, Json]) -> Json:
    """The document with the overlay, and with OpenAPI's `nullable` said in JSON Schema's words."""
    schemas = document["components"]["schemas"]
    for name, changes in overlay.items():
        schemas[name].setdefault("properties", {}).update(copy.deepcopy(changes))
    for node in _nodes(document["components"]):
        if node.pop("nullable", False) and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
    return document


def _nodes(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def watch(server: Server, validator: Validator, output: Path) -> None:
    """Validates every JSON answer of a server from now on; violations are appended to `output`, a line each."""

    def check(request: Request, response: Response, _connection: Connection) -> bool:
        if response.body is None or "json" not in response.media:
            return False
        body = json.loads(response.body) if isinstance(response.body, bytes) else response.body
        found = validator.check(request.method, request.path, response.status, body)
        if found:
            with output.open("a") as log:
                log.write(json.dumps({"request": f"{request.method} {request.target}", "violations": found}) + "\n")
        return False

    server.after.append(check)
