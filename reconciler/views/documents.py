"""What `--format json` prints: one document per command, each with its name and version in `schema`.

Compatibility: a version rises when a field goes away or changes its meaning; new fields may appear at any time, so a
reader ignores what it does not know. The models here are that contract: they are written out as JSON Schema in
`docs/schemas`, and `docs/json.md` says which command prints which.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from reconciler.action import Action, Json
from reconciler.apply.by_hand import Entry as Open
from reconciler.apply.report import Outcome, Report
from reconciler.connection import Finding
from reconciler.desired.explain import Explained
from reconciler.errors import ArrError, Diagnostic
from reconciler.kind import Resource
from reconciler.plan.model import Plan, ResourcePlan
from reconciler.store import EntryRow, RunRow


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)  # most commands print no JSON, and one document at most


class Document(_Part):
    """The head that all documents share. `exit` is the exit code that the command ends with."""

    NAME: ClassVar[str] = ""

    exit: int = 0


class PlanDocument(Document):
    """A plan. `short` is what `arr apply` takes for it."""

    NAME = "arr.plan/1"
    short: str
    plan: Plan


class DriftDocument(Document):
    """What the world changed: parts of a plan that is not to be applied as it stands (`arr plan` makes the whole one)."""

    NAME = "arr.drift/1"
    resources: tuple[ResourcePlan, ...]


class ReportDocument(Document):
    """What an apply did."""

    NAME = "arr.report/1"
    report: Report


class Problem(_Part):
    """One thing that is wrong with the desired state. Lines and columns count from 1; `file` is empty when none is concerned."""

    message: str
    file: str = ""
    line: int | None = None
    column: int | None = None
    field: str = ""
    excerpt: str = ""
    hint: str = ""

    @classmethod
    def of(cls, found: Diagnostic) -> Problem:
        mark = found.mark
        return cls(
            message=found.message,
            file=mark.file if mark else "",
            line=mark.line if mark else None,
            column=mark.column if mark else None,
            field=found.field,
            excerpt=found.excerpt,
            hint=found.hint,
        )


class ErrorDocument(Document):
    """Why a command ended without its own document."""

    NAME = "arr.error/1"
    message: str
    remedy: str = ""
    problems: tuple[Problem, ...] = ()


class Declared(_Part):
    """A resource and where it is written."""

    address: str
    source: str = ""
    paused: bool = False


class ValidationDocument(Document):
    """A desired state without errors (with errors it is an arr.error/1 with `problems`)."""

    NAME = "arr.validation/1"
    files: tuple[str, ...]
    resources: tuple[Declared, ...]
    digest: str


class Answer(_Part):
    """One resource's verdict, in lines for people."""

    address: str
    lines: tuple[str, ...]


class WhyDocument(Document):
    """Every resource's verdict on one item."""

    NAME = "arr.why/1"
    item: str
    verdicts: tuple[Answer, ...]


class Run(_Part):
    """One run. `ended` and `exit_code` stay null when its process died. `outcomes`: how many actions ended how."""

    run: str
    command: str
    plan: str | None
    began: datetime
    ended: datetime | None
    exit_code: int | None
    says: str
    outcomes: dict[str, int]

    @classmethod
    def of(cls, row: RunRow) -> Run:
        return cls(
            run=row.run, command=row.command, plan=row.plan, began=row.began, ended=row.ended, exit_code=row.exit,
            says=row.says, outcomes=dict(row.outcomes),
        )  # fmt: skip


class Entry(_Part):
    """One action in the journal. `state` is intended, accepted, or its outcome."""

    state: str
    action: Action
    intended: datetime
    accepted: datetime | None
    settled: datetime | None
    says: str
    data: dict[str, Json]

    @classmethod
    def of(cls, row: EntryRow) -> Entry:
        return cls(
            state=row.state, action=row.action, intended=row.intended, accepted=row.accepted, settled=row.settled,
            says=row.says, data=row.data,
        )  # fmt: skip


class HistoryDocument(Document):
    """Runs, newest first."""

    NAME = "arr.history/1"
    runs: tuple[Run, ...]


class RunDocument(Document):
    """One run with its actions."""

    NAME = "arr.run/1"
    run: Run
    entries: tuple[Entry, ...]


class StatusResource(Declared):
    """A declared resource. `applied`: something of it was done before."""

    applied: bool = False


class StatusDocument(Document):
    """What is declared, what is under way, the latest runs."""

    NAME = "arr.status/1"
    state: str
    lineage: str
    resources: tuple[StatusResource, ...]
    pending: tuple[Outcome, ...]
    runs: tuple[Run, ...]


class Look(_Part):
    """One thing that `arr doctor` looked at. `ok` null: it could not be looked at."""

    what: str
    ok: bool | None
    says: str
    remedy: str = ""


class Examined(_Part):
    """One connection and what was found."""

    connection: str
    findings: tuple[Look, ...]


class ExaminedDisk(_Part):
    """One declared disk and its roots, as their servers see them. `what` is `sonarr /tv1`."""

    disk: str
    findings: tuple[Look, ...]


class DoctorDocument(Document):
    """Every connection and every declared disk, examined."""

    NAME = "arr.doctor/1"
    connections: tuple[Examined, ...]
    disks: tuple[ExaminedDisk, ...] = ()


class OpenEntry(_Part):
    """An entry of the journal without an outcome. `refusal`: why it is not to be settled by hand; empty: it may be."""

    entry: str
    run: str
    begun: datetime
    action: Action
    state: str
    says: str
    refusal: str = ""
    remedy: str = ""


class SettleDocument(Document):
    """What is open in the journal; or, with `settled` and `run`, the entry that was closed by hand and the run that did it."""

    NAME = "arr.settle/1"
    open: tuple[OpenEntry, ...]
    settled: str | None = None
    run: str | None = None


class WrittenDocument(Document):
    """Files that a command wrote, and files that it left as they were."""

    NAME = "arr.written/1"
    written: tuple[str, ...]
    kept: tuple[str, ...] = ()


class Field(_Part):
    """Something that may be written. `default`: as it would be written; null when there is none."""

    name: str
    type: str
    required: bool
    default: str | None
    description: str

    @classmethod
    def of(cls, told: Explained) -> Field:
        return cls(
            name=told.name, type=told.type, required=told.required, default=told.default, description=told.description
        )


class ExplainDocument(Document):
    """One place of the desired state and the fields right below it."""

    NAME = "arr.explain/1"
    path: str
    place: Field
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, told: Explained) -> ExplainDocument:
        return cls(path=told.path, place=Field.of(told), fields=tuple(Field.of(child) for child in told.children))


class VersionDocument(Document):
    """The program and what is installed with it."""

    NAME = "arr.version/1"
    arr: str
    python: str
    kinds: tuple[str, ...]
    apps: tuple[str, ...]


DOCUMENTS: tuple[type[Document], ...] = (
    PlanDocument, DriftDocument, ReportDocument, ErrorDocument, ValidationDocument, WhyDocument, StatusDocument, HistoryDocument,
    RunDocument, DoctorDocument, SettleDocument, WrittenDocument, ExplainDocument, VersionDocument,
)  # fmt: skip


def dumped(document: Document) -> str:
    """The document as JSON text, two spaces deep, with its `schema` first."""
    value = document.model_dump(mode="json")
    return json.dumps({"schema": document.NAME, **value}, indent=2, ensure_ascii=False) + "\n"


def json_schemas() -> dict[str, dict[str, Any]]:
    """Document name → JSON Schema. Further fields are always allowed: that is the compatibility rule."""
    return {document.NAME: _schema(document) for document in DOCUMENTS}


def _schema(document: type[Document]) -> dict[str, Any]:
    schema = _opened(document.model_json_schema(mode="serialization"))
    properties = {"schema": {"const": document.NAME, "type": "string"}, **schema["properties"]}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": document.NAME}
    required = ["schema", "exit", *schema.get("required", ())]
    return {**schema, **head, "properties": properties, "required": list(dict.fromkeys(required))}


def _opened(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {k: _opened(v) for k, v in schema.items() if not (k == "additionalProperties" and v is False)}
    return [_opened(item) for item in schema] if isinstance(schema, list) else schema


def error_document(error: ArrError) -> ErrorDocument:
    """An error that ended the command."""
    found: Sequence[Diagnostic] = getattr(error, "diagnostics", ())
    problems = tuple(Problem.of(d) for d in found)
    return ErrorDocument(exit=int(error.exit), message=error.message, remedy=error.remedy, problems=problems)


def declared(resource: Resource[Any]) -> Declared:
    """A resource as the documents show it."""
    mark = resource.marks.get("")
    return Declared(
        address=str(resource.address), source=f"{mark.file}:{mark.line}" if mark else "", paused=resource.spec.paused
    )


def status_document(
    resources: Sequence[Resource[Any]],
    applied: Collection[str],
    pending: Sequence[Outcome],
    runs: Sequence[RunRow],
    *,
    state: str,
    lineage: str,
) -> StatusDocument:
    """How things stand."""
    rows = tuple(
        StatusResource(**declared(r).model_dump(), applied=str(r.address) in applied) for r in resources
    )  # fmt: skip
    return StatusDocument(
        state=state,
        lineage=lineage,
        resources=rows,
        pending=tuple(pending),
        runs=tuple(Run.of(row) for row in runs),
    )


def doctor_document(
    found: Sequence[tuple[str, Sequence[Finding]]], disks: Sequence[tuple[str, Sequence[Finding]]], code: int
) -> DoctorDocument:
    """What `arr doctor` found."""

    def looks(findings: Sequence[Finding]) -> tuple[Look, ...]:
        return tuple(Look(what=f.what, ok=f.ok, says=f.says, remedy=f.remedy) for f in findings)

    return DoctorDocument(
        exit=code,
        connections=tuple(Examined(connection=name, findings=looks(f)) for name, f in found),
        disks=tuple(ExaminedDisk(disk=name.removeprefix("disk "), findings=looks(f)) for name, f in disks),
    )


def settle_document(entries: Sequence[Open], *, settled: str | None = None, run: str | None = None) -> SettleDocument:
    """What is open, or what was closed."""
    rows = tuple(
        OpenEntry(
            entry=e.name, run=e.run, begun=e.at, action=e.action, state=e.verdict.state, says=e.stuck or e.verdict.says,
            refusal=e.refusal[0], remedy=e.refusal[1],
        )
        for e in entries
    )  # fmt: skip
    return SettleDocument(open=rows, settled=settled, run=run)


def why_document(item: str, verdicts: Sequence[tuple[str, Sequence[str]]]) -> WhyDocument:
    """Verdicts on one item."""
    return WhyDocument(item=item, verdicts=tuple(Answer(address=a, lines=tuple(lines)) for a, lines in verdicts))


def run_document(row: RunRow, entries: Sequence[EntryRow]) -> RunDocument:
    """One run with its actions."""
    return RunDocument(run=Run.of(row), entries=tuple(Entry.of(e) for e in entries))
