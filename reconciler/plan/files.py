"""Plans on paper: to JSON and back, with every way in which a file can be wrong told apart.

A file names a plan of the state it was made with; it is not trusted beyond that. `read` checks form, version and the
digest; the session then compares it with what the state stored under that id.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reconciler.errors import StaleError, UsageError
from reconciler.plan.identity import plan_id
from reconciler.plan.model import SCHEMA, Plan

MOST = 64 * 1024 * 1024  # bytes; a plan of 100,000 actions is about a third of it


def document(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON."""
    return plan.model_dump(mode="json")


def parse(value: Any, origin: str) -> Plan:
    """A plan from JSON. StaleError for another version, UsageError for what is no plan, or was edited."""
    if not isinstance(value, dict) or "schema_version" not in value:
        raise UsageError(f"{origin} is not a plan", "write one with: arr plan --out FILE")
    if value["schema_version"] != SCHEMA:
        raise StaleError(f"{origin} is of version {value['schema_version']}, this program makes {SCHEMA}", "arr plan")
    try:
        plan = Plan.model_validate_json(json.dumps(value))
    except ValidationError as e:
        first = e.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise UsageError(f"{origin}: {where}: {first['msg']}", "write a new one with: arr plan --out FILE") from None
    if plan.id != plan_id(plan.desired, plan.lineage, plan.targets, plan.actions(), plan.protects):
        raise StaleError(f"{origin} was changed after it was made: its id does not fit its content", "arr plan")
    return plan


def read(path: Path) -> Plan:
    """A plan from a file."""
    try:
        if path.stat().st_size > MOST:
            raise UsageError(f"{path} is larger than any plan ({MOST // 1024 // 1024} MiB)", "is it the right file?")
        text = path.read_text(encoding="utf-8")
    except OSError as e:
        raise UsageError(f"{path} cannot be read: {e.strerror}", "write one with: arr plan --out FILE") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a plan: it is no UTF-8 text", "write one with: arr plan --out FILE") from None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as e:
        at = f" (line {e.lineno})" if isinstance(e, json.JSONDecodeError) else ""
        raise UsageError(f"{path} is not a plan: it is no JSON{at}", "write one with: arr plan --out FILE") from None
    return parse(value, str(path))


def write(plan: Plan, path: Path) -> None:
    """Write `plan` to `path`, whole or not at all, readable by its owner only."""
    if path.exists():
        read(path)  # nothing but an earlier plan is overwritten
    beside = path.with_name(path.name + ".partial")
    try:
        beside.touch(mode=0o600)
        beside.write_text(json.dumps(document(plan), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as e:
        raise UsageError(f"{path} cannot be written: {e.strerror}", "choose another place for --out") from None
