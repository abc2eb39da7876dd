"""Files come home: many requests in flight over a few connections, large files in segments, small ones many at a time.

Called by the kind's `fetch`. What has arrived goes into a `Sink` at once and is marked there segment by segment, so that
whoever comes after a kill carries on. A cut connection is opened anew as long as something still arrives; everything else
that does not fit (a file shorter or longer than it was told, one that is gone, a full disk) ends the fetch, with its reason.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.facts import NotThere, ReadFailed
from resources.clients.sftp import wire
from resources.clients.sftp.line import LOST, Line, Refused, refused
from resources.clients.sftp.login import Gate
from resources.clients.sftp.names import encode, shown

REQUEST = 252 << 10  # bytes of one READ
SEGMENT = 4 << 20  # bytes that are marked as here at a time
DEPTH = (1 << 20, 4 << 20)  # bytes asked for and not here yet, per connection: they may all wait in memory
PIPE = 40e6  # bytes a second that one connection is good for: the depth is what is under way at that rate
PARTS = 64  # segments or small files begun and not ended, per connection
NEAR = 0.005  # seconds; a server that answers within has no use for more than one connection
TICK = 0.05  # seconds between two looks of the main thread
REVIVALS = 6  # connections opened anew without a byte in between, before we give up


@dataclass(slots=True, eq=False)
class Job:
    """One file. `name` is its path in the release, `path` the server's; `missing` are (offset, length) not here yet."""

    name: str
    path: str
    size: int
    mtime_ns: int
    missing: list[tuple[int, int]]
    busy: int = 0  # segments under way
    left: int = 0  # bytes not here yet


class Sink(Protocol):
    """Where the bytes go. All but `done` may be called from several threads; OSError ends the fetch."""

    def write(self, job: Job, offset: int, data: memoryview) -> None: ...

    def done(self, job: Job, offset: int, length: int) -> None:
        """A segment is here, whole."""
        ...

    def finished(self, job: Job) -> None:
        """All of the file is here."""
        ...


@dataclass(frozen=True)
class Pace:
    """How hard to pull. `rate` in bytes a second, None without a limit."""

    connections: int = 4
    files: int = 6
    segments: int = 8
    rate: int | None = None


class FetchFailed(Exception):
    """The fetch ended before all was here. `full`: because of this machine's disk."""

    def __init__(self, message: str, remedy: str = "", *, full: bool = False) -> None:
        super().__init__(message)
        self.message, self.remedy, self.full = message, remedy, full


@dataclass(slots=True, eq=False)
class _Part:
    job: Job
    offset: int
    length: int
    left: int


@dataclass(slots=True, eq=False)
class _Open:
    """A file that one connection has open: `handle` None until the server has given it."""

    handle: bytes | None = None
    waiting: list[_Part] = field(default_factory=list)
    parts: int = 0


@dataclass(slots=True, eq=False)
class _Worker:
    line: Line
    parts: set[_Part] = field(default_factory=set)
    files: dict[Job, _Open] = field(default_factory=dict)
    bytes: int = 0
    dead: bool = False
    idle: bool = False


class Fetch:
    """One fetch. `told(bytes)` is called now and then with how much has arrived; `stopped()` ends it between two looks."""

    def __init__(
        self,
        gate: Gate,
        jobs: Iterator[Job],
        sink: Sink,
        pace: Pace,
        told: Callable[[int], None],
        stopped: Callable[[], bool],
    ) -> None:
        self._gate, self._jobs, self._sink, self._pace = gate, jobs, sink, pace
        self._told, self._stopped = told, stopped
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._workers: list[_Worker] = []
        self._joining = 0
        self._again: deque[_Part] = deque()
        self._active: list[Job] = []
        self._next: Job | None = None
        self._drained = False
        self._error: Exception | None = None
        self._arrived = 0
        self._tokens = 0.0
        self._wanted, self._depth = pace.connections, DEPTH[0]
        self._segment = SEGMENT if pace.rate is None else max(64 << 10, min(SEGMENT, pace.rate // 4))

    # ------------------------------------------------------------------------------------------ the main thread

    def run(self) -> bool:
        """True when all is here, False when it was stopped. FetchFailed or ReadFailed for everything else."""
        try:
            first = Line(self._gate)
            begun = time.perf_counter()
            first.call(wire.REALPATH, wire.text(b"."))
            trip = time.perf_counter() - begun
            self._depth = int(min(max(trip * PIPE, DEPTH[0]), DEPTH[1]))
            if trip < NEAR:
                self._wanted = 1
            self._attach(first)
            for _ in range(self._wanted - 1):
                self._join()
            return self._follow()
        finally:
            self._end()

    def _follow(self) -> bool:
        told, revived, then = 0, 0, time.monotonic()
        while True:
            with self._changed:
                if not self._over():
                    self._changed.wait(TICK)
                if self._error is not None:
                    raise self._error
                if self._over():
                    self._told(self._arrived)
                    return True
                arrived, lost = self._arrived, self._lost()
            now = time.monotonic()
            self._tokens = min(self._tokens + (self._pace.rate or 0) * (now - then), (self._pace.rate or 0) * 0.5)
            then = now
            if self._stopped():
                return False
            if arrived != told:
                told, revived = arrived, 0
                self._told(arrived)
            if lost is not None:
                revived += 1
                if revived > REVIVALS:
                    raise lost
                time.sleep(min(0.1 * 2**revived, 3.0))
                self._join()
            self._kick()

    def _lost(self) -> ReadFailed | None:
        """Why there is no connection any more, once the last one is gone and none is being opened."""
        if any(not w.dead for w in self._workers) or self._joining:
            return None
        return next((w.line.lost for w in reversed(self._workers) if w.line.lost is not None), None) or ReadFailed(
            "truncated", f"{self._gate.trust.where} broke off", "try again"
        )

    def _join(self) -> None:
        """Open a further connection beside the work."""
        with self._lock:
            self._joining += 1
        threading.Thread(target=self._open_line, name="sftp-join", daemon=True).start()

    def _open_line(self) -> None:
        line = None
        try:
            line = Line(self._gate)
        except ReadFailed as e:
            if e.code in ("certificate", "unauthorised"):  # everything else may be better the next time
                with self._lock:
                    self._error = self._error or e
        finally:  # whatever came of it: nobody may wait for it any more
            with self._changed:
                self._joining -= 1
                self._changed.notify()
        if line is not None:
            self._attach(line)

    def _attach(self, line: Line) -> None:
        worker = _Worker(line)
        with self._changed:
            if self._error is not None or self._drained is None:
                worker.dead = True
            self._workers = [w for w in self._workers if not w.dead or w.parts] + [worker]
            self._fill(worker)
        line.flush()

    def _kick(self) -> None:
        with self._lock:
            idle = [w for w in self._workers if w.idle and not w.dead]
            for worker in idle:
                self._fill(worker)
        for worker in idle:
            worker.line.flush()

    def _end(self) -> None:
        with self._changed:
            self._error = self._error or FetchFailed("ended")
            while self._joining:
                self._changed.wait(TICK)
            workers = list(self._workers)
        for worker in workers:
            worker.line.close()

    # --------------------------------------------------------------------------------- what is next (lock held)

    def _over(self) -> bool:
        busy = any(w.parts for w in self._workers)
        return self._drained and self._next is None and not (busy or self._again or self._active)

    def _take(self) -> _Part | None:
        if self._pace.rate and self._tokens <= 0:
            return None
        part = self._again.popleft() if self._again else self._from_active() or self._from_next()
        if part is not None:
            part.job.busy += 1
            self._tokens -= part.length
        return part

    def _from_active(self) -> _Part | None:
        for job in self._active:
            if job.missing and job.busy < self._pace.segments:
                return self._cut(job)
        return None

    def _from_next(self) -> _Part | None:
        while True:
            if self._next is None and not self._drained:
                self._next = next(self._jobs, None)
                self._drained = self._next is None
            job = self._next
            if job is None:
                return None
            if job.missing and job.size > SEGMENT and sum(j.size > SEGMENT for j in self._active) >= self._pace.files:
                return None
            self._next = None
            job.left = sum(length for _, length in job.missing)
            if job.left:
                self._active.append(job)
                return self._cut(job)
            self._sink.finished(job)

    def _cut(self, job: Job) -> _Part:
        offset, length = job.missing[0]
        if length > self._segment:
            job.missing[0] = (offset + self._segment, length - self._segment)
            length = self._segment
        else:
            del job.missing[0]
        return _Part(job, offset, length, length)

    # --------------------------------------------------------------------------------------- asking (lock held)

    def _fill(self, worker: _Worker) -> None:
        worker.idle = False
        while self._error is None and not worker.dead and worker.bytes < self._depth and len(worker.parts) < PARTS:
            try:
                part = self._take()
            except OSError as e:
                self._fail(_disk(e))
                return
            if part is None:
                worker.idle = True
                return
            self._start(worker, part)

    def _start(self, worker: _Worker, part: _Part) -> None:
        worker.parts.add(part)
        worker.bytes += part.length
        held = worker.files.get(part.job)
        if held is None:
            held = worker.files[part.job] = _Open()
            path = encode(part.job.path)
            held.waiting.append(part)
            held.parts += 1
            worker.line.ask(
                wire.OPEN, wire.open_for_reading(path), lambda kind, data: self._opened(worker, part.job, kind, data)
            )
            return
        held.parts += 1
        if held.handle is None:
            held.waiting.append(part)
        else:
            self._read(worker, part, held.handle)

    def _read(self, worker: _Worker, part: _Part, handle: bytes) -> None:
        at, end = part.offset, part.offset + part.length
        while at < end:
            length = min(REQUEST, end - at)
            self._ask(worker, part, handle, at, length)
            at += length

    def _ask(self, worker: _Worker, part: _Part, handle: bytes, at: int, length: int) -> None:
        more = 1 if at + length == part.job.size else 0  # a byte behind the end: there must be none
        worker.line.ask(
            wire.READ,
            wire.read(handle, at, length + more),
            lambda kind, data: self._came(worker, part, at, length, kind, data),
        )

    # ---------------------------------------------------------------------------- answers (threads of the lines)

    def _opened(self, worker: _Worker, job: Job, kind: int, data: memoryview | bytes) -> None:
        with self._lock:
            held = worker.files.get(job)
            if kind == LOST or held is None:
                self._bury(worker)
            elif kind != wire.HANDLE:
                self._fail(self._why(job, kind, data))
            else:
                held.handle = wire.Reader(data).text()
                waiting, held.waiting = held.waiting, []
                for part in waiting:
                    self._read(worker, part, held.handle)

    def _came(self, worker: _Worker, part: _Part, at: int, length: int, kind: int, data: memoryview | bytes) -> None:
        if kind == LOST:
            with self._lock:
                self._bury(worker)
            return
        if kind != wire.DATA:
            with self._lock:
                self._fail(self._why(part.job, kind, data))
            return
        came = wire.Reader(data).view()
        count = len(came)
        if not 0 < count <= length:
            with self._lock:
                self._fail(_changed(part.job, "longer than" if count else "not as long as"))
            return
        try:
            self._sink.write(part.job, at, came)
        except OSError as e:
            with self._lock:
                self._fail(_disk(e))
            return
        with self._lock:
            self._got(worker, part, at, length, count)

    def _got(self, worker: _Worker, part: _Part, at: int, length: int, count: int) -> None:
        if worker.dead:  # cut meanwhile: others have taken it up
            return
        self._arrived += count
        part.left -= count
        worker.bytes -= count
        held = worker.files[part.job]
        if count < length and held.handle is not None:
            self._ask(worker, part, held.handle, at + count, length - count)
        elif part.left == 0:
            worker.parts.discard(part)
            held.parts -= 1
            part.job.busy -= 1
            part.job.left -= part.length
            try:
                self._sink.done(part.job, part.offset, part.length)
                if part.job.left == 0:
                    self._active.remove(part.job)
                    self._sink.finished(part.job)
            except OSError as e:
                self._fail(_disk(e))
                return
            self._close_files(worker)
            if self._over() or any(w.idle for w in self._workers):
                self._changed.notify()
        self._fill(worker)

    def _close_files(self, worker: _Worker) -> None:
        """Close what this connection needs no more."""
        spent = [j for j, held in worker.files.items() if held.parts == 0 and not j.missing and held.handle is not None]
        for job in spent:
            handle = worker.files.pop(job).handle
            if handle is not None:
                worker.line.ask(wire.CLOSE, wire.text(handle), lambda _kind, _data: None)

    def _bury(self, worker: _Worker) -> None:
        """A connection is gone: what it had under way is taken up by others, from its start."""
        if worker.dead:
            return
        worker.dead = True
        for part in worker.parts:
            part.job.busy -= 1
            self._arrived -= part.length - part.left
            self._again.append(_Part(part.job, part.offset, part.length, part.length))
        worker.parts.clear()
        worker.files.clear()
        self._changed.notify()

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._changed.notify()

    def _why(self, job: Job, kind: int, data: memoryview | bytes) -> Exception:
        if kind == wire.STATUS and wire.status(data) == wire.EOF:
            return _changed(job, "not as long as")
        if kind != wire.STATUS:
            return ReadFailed(
                "malformed", f"{self._gate.trust.where} answered a request for a file with something else"
            )
        error = refused(Refused(wire.status(data)), encode(job.path))
        if isinstance(error, NotThere):
            return FetchFailed(f"{shown(job.name)} vanished from the server", "look at a new plan: arr plan")
        return error


def _changed(job: Job, how: str) -> FetchFailed:
    return FetchFailed(
        f"{shown(job.name)} is {how} the server said: it changed, or the server is wrong",
        "look at a new plan: arr plan",
    )


def _disk(error: OSError) -> FetchFailed:
    where = f" ({error.filename})" if error.filename else ""
    remedy = "make room; what is here stays, and the next run carries on"
    return FetchFailed(f"this machine's disk: {(error.strerror or str(error)).lower()}{where}", remedy, full=True)
