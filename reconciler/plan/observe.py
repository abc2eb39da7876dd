"""Observation: the only reading phase. Each distinct query is asked once per run, in parallel, whoever wants it.

Resources name their queries in up to three waves, each with the answers so far. What a client raises becomes a fact:
`ReadFailed` is Unknown, `NotThere` is Absent. A client that fails in a way it should not is Unknown too (never absent),
and its traceback goes to the log.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any

from reconciler.connection import redact
from reconciler.facts import Absent, Fact, Facts, Known, NotThere, Query, ReadFailed, Unknown
from reconciler.kind import Kind, Ledger, Resource
from reconciler.opener import Opener

log = logging.getLogger(__name__)

WAVES = 3
THREADS = 16

Told = Callable[[int, int], None]  # answered so far, asked in all


def ask(opener: Opener, query: Query[Any]) -> Fact[Any]:
    """One query, as a fact. Never raises for what a server does."""
    try:
        value = opener.client(query.connection, "read").read(query)
    except NotThere:
        return Absent(opener.clock.now())
    except ReadFailed as e:
        return Unknown(e.code, redact(e.reason), redact(e.remedy), opener.clock.now())
    except Exception as e:
        log.exception("reading %s from %s failed unexpectedly", type(query).__name__, query.connection)
        reason = f"{query.connection} gave an answer that could not be understood ({type(e).__name__})"
        return Unknown("malformed", reason, "see the log (-vv); this is worth a bug report", opener.clock.now())
    return Known(value, opener.clock.now())


def _ask_all(opener: Opener, queries: Sequence[Query[Any]], told: Told | None) -> dict[Query[Any], Fact[Any]]:
    limits: dict[str, BoundedSemaphore] = {}
    by_connection: dict[str, list[Query[Any]]] = defaultdict(list)
    for query in queries:
        by_connection[query.connection].append(query)
    for name in by_connection:
        try:
            limits[name] = BoundedSemaphore(opener.app(name).parallel)
        except ReadFailed:
            limits[name] = BoundedSemaphore(1)

    def one(query: Query[Any]) -> Fact[Any]:
        with limits[query.connection]:
            return ask(opener, query)

    answers: dict[Query[Any], Fact[Any]] = {}
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="observe")
    try:
        for n, (query, answer) in enumerate(zip(queries, pool.map(one, queries), strict=True), 1):
            answers[query] = answer
            if told:
                told(n, len(queries))
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)  # these only read: nobody has to wait for a slow server
        raise
    pool.shutdown()
    return answers


def _named(
    kinds: Mapping[str, Kind[Any]], resource: Resource[Any], seen: Facts, ledger: Ledger, now: datetime
) -> list[Query[Any]]:
    """The queries of one resource. A kind that fails here must not take the others down: its own plan will say so."""
    try:
        return list(kinds[resource.address.kind].reads(resource, seen, ledger, now))
    except Exception:
        log.exception("%s could not say what it reads", resource.address)
        return []


def observe(
    resources: Iterable[Resource[Any]],
    kinds: Mapping[str, Kind[Any]],
    opener: Opener,
    ledger: Ledger,
    now: datetime,
    told: Told | None = None,
) -> Facts:
    """All facts that `resources` ask for. `told(answered, asked)` is called as answers come in, per wave."""
    facts: dict[Query[Any], Fact[Any]] = {}
    wanted = [r for r in resources if not r.spec.paused]
    for _ in range(WAVES):
        seen = Facts(dict(facts))
        asked: dict[Query[Any], None] = {}
        for resource in wanted:
            asked |= dict.fromkeys(q for q in _named(kinds, resource, seen, ledger, now) if q not in facts)
        if not asked:
            break
        facts |= _ask_all(opener, list(asked), told)
    return Facts(facts)
