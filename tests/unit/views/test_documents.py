"""The JSON of every command fits its published schema, and the compatibility rule holds."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs
import pytest

from reconciler.errors import UsageError
from reconciler.views import documents as d
from tests.unit.views import examples as e
from tests.unit.views.test_golden import MEDIA_HELP

RUN = d.Run.of(e.RUNS[1])
DOCUMENTS: dict[str, d.Document] = {
    "plan": d.PlanDocument(exit=4, short="7k3f", plan=e.plan(e.FIRST, e.TAG, e.BLOCKED, conflicts=(e.CONFLICT,))),
    "plan-hostile": d.PlanDocument(short="7k3f", plan=e.plan(e.HOSTILE_PART)),
    "drift": d.DriftDocument(resources=(e.BROKEN,)),
    "report": d.ReportDocument(exit=1, report=e.REPORT),
    "error": d.error_document(UsageError("wrong", "do it right", e.DIAGNOSTICS)),
    "validation": d.ValidationDocument(files=("a.yaml",), resources=(d.declared(e.RESOURCES[0]),), digest="x"),
    "why": d.why_document("Fargo", [("disk_fill.media", ["stays"])]),
    "status": d.status_document(e.RESOURCES, {"tag.kids"}, (), e.RUNS, state="state", lineage="l1"),
    "history": d.HistoryDocument(runs=(RUN,)),
    "run": d.run_document(e.RUNS[1], e.ENTRIES),
    "doctor": d.doctor_document(e.FINDINGS, e.DISK_FINDINGS, 1),
    "settle": d.settle_document((e.OPEN, e.STUCK)),
    "settled": d.settle_document((), settled=e.STUCK.name, run="r000014"),
    "written": d.WrittenDocument(written=("a",), kept=("b",)),
    "explain": d.ExplainDocument.of(MEDIA_HELP),
    "version": d.VersionDocument(arr="0.1.0", python="3.11.7", kinds=("tag",), apps=("sonarr",)),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_fits_its_schema(name: str) -> None:
    """What is printed is valid under the schema of its name."""
    document = DOCUMENTS[name]
    value = json.loads(d.dumped(document))
    assert next(iter(value)) == "schema"
    jsonschema_rs.validator_for(d.json_schemas()[value["schema"]]).validate(value)


def test_every_document_is_tried() -> None:
    """No document is printed without its schema being checked here."""
    assert {type(document) for document in DOCUMENTS.values()} == set(d.DOCUMENTS)


@pytest.mark.parametrize("name", ["plan", "report", "run"])
def test_a_later_version_may_add_fields(name: str) -> None:
    """A reader that checks against today's schema takes tomorrow's new fields."""

    def grown(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: grown(v) for k, v in value.items()} | ({"new": 1} if "schema" in value or "id" in value else {})
        return [grown(v) for v in value] if isinstance(value, list) else value

    value = grown(json.loads(d.dumped(DOCUMENTS[name])))
    jsonschema_rs.validator_for(d.json_schemas()[value["schema"]]).validate(value)


def test_a_missing_field_is_noticed() -> None:
    """The schema is no empty promise."""
    value = json.loads(d.dumped(DOCUMENTS["plan"]))
    del value["plan"]["id"]
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validator_for(d.json_schemas()["arr.plan/1"]).validate(value)


def test_the_error_says_where() -> None:
    """A problem of the desired state has its file, line and column as numbers."""
    problem = json.loads(d.dumped(DOCUMENTS["error"]))["problems"][0]
    assert (problem["file"], problem["line"], problem["column"]) == ("desired/disks.yaml", 22, 5)
