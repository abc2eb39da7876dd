"""The first desired file, for `arr init`: what is needed, and the rest as comments that explain themselves.

The text is valid as it stands and wishes for nothing yet: a first `arr plan` has nothing to do.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.desired.scalars import resolve
from reconciler.desired.schema import summary
from reconciler.kind import Kind


@dataclass(frozen=True)
class Declared:
    """A connection to write: its name, its app, and its other fields as JSON (secrets as `{"env": …}` or `{"file": …}`)."""

    name: str
    app: str
    fields: Mapping[str, Any]


_DISKS = """\
# A disk, and the root folders that lie on it, as each connection sees them.
# disks:
#   d1: {{roots: {{{first}: /tv1}}, max: 85%}}
#   d2: {{roots: {{{first}: /tv2}}, max: 85%}}

# Nothing may destroy these.
# protect: ["tvdb:280619", "tag:arr-protect"]

# What one run, and one day, may destroy at most.
# guards: {{destroy: {{max: 20, max_bytes: 500 GB}}, per_day: {{max_bytes: 1 TB}}}}
"""

_HEAD = """\
# The desired state: how the stack should be. Check it with: arr validate
# Every field is explained by: arr explain connections
"""


def scaffold(connections: Sequence[Declared], kinds: Mapping[str, Kind[Any]]) -> str:
    """The text of a first file for `connections`; `kinds` are named in it with what they are for."""
    first = next((c.name for c in connections if "api_key" in c.fields), "sonarr")
    lines = [_HEAD, *_connections(connections), "", _DISKS.format(first=first)]
    if kinds:
        lines.append("# What can be wished for, as kind → name → fields:")
        for name in sorted(kinds):
            lines += ["#", *_comment(f"{name}: {summary(kinds[name])}  (arr explain {name})")]
            if kinds[name].example:
                lines += [f"# {name}:", *(f"#   {line}" for line in kinds[name].example.splitlines())]
    return "\n".join(lines).rstrip("\n") + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="#   ", subsequent_indent="#     ")


def _connections(connections: Sequence[Declared]) -> list[str]:
    if not connections:
        return [
            "# connections:",
            "#   sonarr: {app: sonarr, url: http://sonarr:8989, api_key: {env: SONARR_API_KEY}}",
        ]
    return ["connections:", *(f"  {c.name}: {flow({'app': c.app, **c.fields})}" for c in connections)]


def flow(value: Any) -> str:
    """Flow style on one line; text in quotes unless it is a plain word, a path or an address."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(flow(item) for item in value)}]"
    if isinstance(value, str) and not _is_plain(value):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _is_plain(text: str) -> bool:
    """True where the bare text means just that text, to every YAML reader, between brackets as well."""
    allowed = all(c.isascii() and (c.isalnum() or c in "/._-:~@% ") for c in text)
    begins = bool(text) and (text[0].isalnum() or text[0] == "/")
    return begins and allowed and ": " not in text and text[-1] not in ": " and resolve(text) == (text, None)
