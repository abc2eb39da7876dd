"""A Sonarr or Radarr in memory: rows, tags, commands, moves and scans, with the servers' bad habits.

A move changes the path first and reports success whatever becomes of it; a disk that is full puts the path back and leaves
the files split; a refusal leaves the path; a kill leaves half a file and an orphaned command; a scan forgets what it does
not see. Work is done by generators that yield the seconds they take, so half of everything can be seen.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.disks import Files, videos

RATE = 2_000_000_000  # bytes a second
RETAINED = 300.0  # seconds that an ended command stays in the list
LARGE_LEFTOVER = 100 * 1024 * 1024
NAMES = {"sonarr": ("MoveSeries", "RescanSeries", "seriesId"), "radarr": ("MoveMovie", "RescanMovie", "movieId")}


class Refused(Exception):
    """The server says no (4xx)."""


class Broken(Exception):
    """A move stops. `io`: as an I/O error, which is swallowed; else as a refusal, which fails the command."""

    def __init__(self, io: bool) -> None:
        super().__init__(io)
        self.io = io


@dataclass
class Row:
    """An item in the database; `rows`: its files as the server knows them."""

    id: int
    ident: str
    title: str
    path: str
    tags: set[int]
    rows: dict[str, int] = field(default_factory=dict)


@dataclass
class Job:
    """A command. Times are seconds of the server's own clock. `by` is arr or a person."""

    id: int
    name: str
    body: dict[str, Any]
    by: str
    queued: float
    status: str = "queued"
    started: float | None = None
    ended: float | None = None
    exception: str = ""


class Server:
    """See the module. `up` False: nothing answers, nothing works."""

    def __init__(self, name: str, app: str, files: Files, roots: list[str]) -> None:
        self.name, self.app, self.files, self.roots = name, app, files, roots
        self.move_name, self.scan_name, self.id_name = NAMES[app]
        self.tags: dict[int, str] = {}
        self.labels: dict[int, str] = {}  # of all tags there ever were
        self.items: dict[int, Row] = {}
        self.queue: dict[int, str] = {}  # item → what is being downloaded for it
        self.jobs: dict[int, Job] = {}
        self.listed: set[int] = set()  # jobs in memory
        self.up, self.now = True, 1_000_000.0
        self.retained = RETAINED
        self.next_fault: tuple[str, int] | None = None  # what happens to the next move, after how many whole videos
        self._striking: list[Any] = [None, 0]  # what happens to the move under way, and how many videos are whole
        self.stalled = False
        self.log: list[tuple[float, str]] = []  # what is said of moves that stopped: when, and between which places
        self.forgot: list[str] = []  # what a scan that arr wanted made the server forget, though it is there
        self._lanes: dict[str, Generator[float, None, None] | None] = {"move": None, "scan": None}
        self._owed: dict[str, float] = {"move": 0.0, "scan": 0.0}
        self._last_tag = 0

    # -- rows

    def tag(self, label: str) -> int:
        """The id of a label; made when there is none."""
        found = next((i for i, known in self.tags.items() if known == label.lower()), None)
        if found is None:
            self._last_tag += 1
            found, self.tags[self._last_tag] = self._last_tag, label.lower()
            self.labels[found] = label.lower()
        return found

    def drop_tag(self, number: int) -> None:
        if number not in self.tags:
            raise Refused(f"Tag with ID {number} does not exist")
        if any(number in row.tags for row in self.items.values()):
            raise Refused(f"Tag with ID {number} '{self.tags[number]}' cannot be deleted since it's still in use")
        del self.tags[number]

    def put(self, item_id: int, path: str, *, move: bool, by: str) -> None:
        """What `PUT` does: the path is changed at once, and a move of the files is queued."""
        row = self.items[item_id]
        others = [r.path for r in self.items.values()]
        if path in self.roots or any(r.path == path for r in self.items.values() if r.id != item_id):
            raise Refused(f"Path '{path}' is already configured")
        if any(other.startswith(path + "/") for other in others):
            raise Refused(f"Path '{path}' is an ancestor of an existing item")
        if move:
            body = {self.id_name: item_id, "sourcePath": row.path, "destinationPath": path}
            self.push(self.move_name, body, by)
        row.path = path

    # -- commands

    def push(self, name: str, body: dict[str, Any], by: str) -> Job:
        for other in self.jobs.values():
            if other.status in ("queued", "started") and (other.name, other.body) == (name, body):
                return other
        job = Job(max(self.jobs, default=0) + 1, name, body, by, self.now)
        self.jobs[job.id] = job
        self.listed.add(job.id)
        return job

    def seen(self) -> list[Job]:
        """The commands in memory."""
        old = {i for i in self.listed if (ended := self.jobs[i].ended) is not None and self.now - ended > self.retained}
        self.listed -= old
        return [self.jobs[i] for i in sorted(self.listed)]

    @property
    def busy(self) -> bool:
        return any(job.status in ("queued", "started") for job in self.jobs.values())

    def kill(self) -> None:
        """The process dies: what ran stops where it is."""
        self.up = False
        self._lanes = dict.fromkeys(self._lanes)

    def start(self) -> None:
        if self.up:
            return
        self.up = True
        for job in self.jobs.values():
            if job.status == "started":
                job.status, job.ended = "orphaned", self.now
        self.listed = {job.id for job in self.jobs.values() if job.status == "queued"}

    def heal(self) -> None:
        """It is up, goes on, and nothing befalls its moves, the one under way included."""
        self.start()
        self.stalled, self.next_fault, self._striking[0] = False, None, None

    def work(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        for lane in self._lanes:
            self._owed[lane] += seconds
            while self.up and self._owed[lane] > 0 and self._step(lane):
                pass
            self._owed[lane] = min(self._owed[lane], 0.0)

    def _step(self, lane: str) -> bool:
        """One step of what runs, or the begin of what waits. False when there is nothing to do."""
        going = self._lanes[lane]
        if going is None:
            waiting = (
                j for j in self.jobs.values() if j.status == "queued" and (j.name == self.move_name) == (lane == "move")
            )
            job = next(waiting, None)
            if job is None:
                return False
            going = self._lanes[lane] = self._run(job)
        try:
            self._owed[lane] -= next(going)
        except StopIteration:
            self._lanes[lane] = None
        return True

    def _run(self, job: Job) -> Generator[float, None, None]:
        job.status, job.started = "started", self.now
        yield 0.2
        steps = self._move(job) if job.name == self.move_name else self._scan(job)
        try:
            yield from steps
        except Broken as e:
            if e.io:
                places = f"from '{job.body['sourcePath']}' to '{job.body['destinationPath']}'"
                self.log.append((self.now, f"Unable to move {places}. Try moving files manually"))
                row = self.items.get(job.body[self.id_name])
                if row is not None:
                    row.path = job.body["sourcePath"]
            else:
                job.exception = "System.UnauthorizedAccessException: Access to the path is denied."
        if self.up:  # else it was killed, and nobody ends it
            job.status, job.ended = "failed" if job.exception else "completed", self.now

    # -- moving

    def _move(self, job: Job) -> Generator[float, None, None]:
        source, target = job.body["sourcePath"], job.body["destinationPath"]
        if not self.files.is_folder(source) or source == target:
            return
        self.files.make_folder(target.rpartition("/")[0])
        fault, self.next_fault = self.next_fault, None
        if fault == ("move-denied", 0):
            raise Broken(io=False)
        self._striking = [fault, 0]
        yield from self._move_tree(self.files.real(source), self.files.real(target), job.by, self._striking)

    def _move_tree(self, source: str, target: str, by: str, fault: list[Any]) -> Generator[float, None, None]:
        files = self.files
        if source == target:
            raise Broken(io=True)
        if files.away(target) or files.away(source):
            raise Broken(io=True)
        if not files.is_folder(target) and files.disk_of(source) == files.disk_of(target):
            for name, _ in list(files.below(source)):
                files.rename(f"{source}/{name}", f"{target}/{name}")
            files.make_folder(target)
            files.remove_folder(source, by)
            return
        files.make_folder(target)
        for name in files.listing(source)[0][::-1]:
            yield from self._move_tree(f"{source}/{name}", f"{target}/{name}", by, fault)
        for name in list(files.listing(source)[1])[::-1]:
            yield from self._move_file(f"{source}/{name}", f"{target}/{name}", by, fault)
            if not self.up:
                return
        if sum(files.listing(source)[1].values()) > LARGE_LEFTOVER:
            raise Broken(io=True)
        if self.up:
            files.remove_folder(source, by)

    def _move_file(self, source: str, target: str, by: str, fault: list[Any]) -> Generator[float, None, None]:
        files, size = self.files, self.files.size(source)
        if size is None:
            raise Broken(io=True)
        if files.size(target) is not None:
            files.remove(target, by)
        if files.size(source) is None:
            raise Broken(io=False)
        if files.disk_of(source) == files.disk_of(target):
            files.rename(source, target)
            return
        video = bool(videos([(target, size)]))
        try:
            yield from self._copy(target, size, video, fault)
        except Broken:
            files.remove(target, by)
            raise
        if not self.up:
            return
        partial = source in files.partial
        del files.sizes[source]
        files.partial.discard(source)
        files.make(target, size, partial=partial)
        fault[1] += video

    def _copy(self, target: str, size: int, video: bool, fault: list[Any]) -> Generator[float, None, None]:
        """A quarter at a time; the file shows what has been copied."""
        for quarter in range(1, 5):
            part = size * quarter // 4
            room = self.files.free(target) + (self.files.size(target) or 0)
            self.files.make(target, min(part, room), partial=True)
            if part > room:
                raise Broken(io=True)
            if quarter == 2 and video and fault[0] is not None and fault[0][1] <= fault[1]:
                if fault[0][0] == "move-killed":
                    self.kill()
                    return
                raise Broken(io=fault[0][0] == "move-disk-full")
            while self.stalled and quarter == 2:
                yield 1.0
            yield size / 4 / RATE

    # -- scanning

    def _scan(self, job: Job) -> Generator[float, None, None]:
        yield 0.3
        row = self.items.get(job.body[self.id_name])
        if row is None:
            return
        root = max(
            (r for r in self.roots if row.path.startswith(r + "/")), key=len, default=row.path.rpartition("/")[0]
        )
        there = self.files.is_folder(row.path)
        if not there and not any(self.files.listing(root)):
            return
        found = videos(self.files.below(row.path)) if there else {}
        gone = {name: size for name, size in row.rows.items() if name not in found}
        if job.by == "arr":
            kept = {size for path, size in self.files.sizes.items() if path not in self.files.partial}
            self.forgot += [f"{row.title}: {name}" for name, size in gone.items() if size in kept]
        row.rows = dict(found) if self.app == "sonarr" else self._one(row, found)

    def _one(self, row: Row, found: dict[str, int]) -> dict[str, int]:
        """A movie has one file: the one it had, else the largest."""
        kept = {name: found[name] for name in row.rows if name in found}
        return kept or dict(sorted(found.items(), key=lambda pair: -pair[1])[:1])
