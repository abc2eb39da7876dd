"""The transfer of one release: list, fetch what is missing, list again, verify, and one rename when all of it is here.

Called by the verb `fetch`, and by the benchmark. Whatever ends it early, what is here stays in the hidden folder, marked,
and the next one carries on.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from reconciler.facts import ReadFailed
from reconciler.kind import Verdict, WriteRefused
from reconciler.units import size_text
from resources.clients.localfs.staging import Staging, missing, staging
from resources.clients.sftp import Digests, RemoteFile, RemoteStat, RemoteTree
from resources.clients.sftp.client import SftpClient
from resources.clients.sftp.fetch import Fetch, FetchFailed, Job, Pace
from resources.clients.sftp.names import shown
from resources.seedbox_transfer.release import Release, fingerprint, make, wanted

SMALL = 64 << 10  # bytes; such a file is read whole for its checksum
AGAIN = 2  # times that files whose checksum differs are fetched
TOGETHER = 400  # files whose checksums are asked for in one question
AHEAD = 2  # such questions under way at a time

BY_CHECKSUM = "every file has the server's checksum"
BY_READING = "every byte was read there a second time, and is the same"
BY_SIZE = "checked by size alone, as asked for"
NO_CHECKSUMS = "checked by size alone, as the server runs no sha256sum for us"

Told = Callable[[int], None]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class Order:
    """What to bring. `remote` is the release's path on the server, `to` the folder it shall lie in here."""

    connection: str
    remote: str
    name: str
    to: str
    exclude: tuple[str, ...] = ()
    fingerprint: str = ""
    verify: str = "checksum"
    pace: Pace = field(default_factory=Pace)


def look(client: SftpClient, order: Order) -> Release:
    """The release as it is on the server now. NotThere when it is gone."""
    told = client.read(RemoteStat(order.connection, order.remote))
    if told.kind != "folder":
        return make(order.name, [told], order.exclude)
    tree = client.read(RemoteTree(order.connection, order.remote))
    return make(order.name, tree, order.exclude)


def bring(
    client: SftpClient, order: Order, told: Told, stopped: Stopped, checked: Callable[[str], None] = lambda _how: None
) -> Verdict | None:
    """None when it lies in its place, after `checked` was told how it was verified; else a verdict with the reason. Raises
    what clients raise."""
    release = look(client, order)
    if release.problem:
        raise WriteRefused(f"{release.title}: {release.problem}", "look at a new plan: arr plan")
    if order.fingerprint and release.fingerprint != order.fingerprint:
        return _moved("it changed on the server since the plan")
    try:
        with staging(order.to, order.name) as stage:
            bringing = _Bringing(client, order, release, stage, told, stopped)
            ended = bringing.run()
            checked(bringing.how)
            return ended
    except FetchFailed as e:
        return Verdict("not-done", e.message, remedy=e.remedy)
    except FileExistsError as e:
        return Verdict(
            "not-done", f"{e.filename} appeared meanwhile: it is not replaced", remedy="look which one is right"
        )
    except OSError as e:
        why = f"this machine's disk: {(e.strerror or str(e)).lower()} ({e.filename or order.to})"
        return Verdict("not-done", why, remedy="what is here stays, and the next run carries on")


def _moved(why: str) -> Verdict:
    return Verdict("not-done", why, remedy="look at a new plan: arr plan")


class _Bringing:
    def __init__(
        self, client: SftpClient, order: Order, release: Release, stage: Staging, told: Told, stopped: Stopped
    ) -> None:
        self.client, self.order, self.release, self.stage = client, order, release, stage
        self.told, self.stopped = told, stopped
        self.before = 0  # bytes that were here already
        self.how = ""  # it was verified

    def run(self) -> Verdict | None:
        if self.stage.begun:
            self.stage.keep_only(self._names())
        if not self._fetch(self.release.files):
            return self._halted()
        if self._fingerprint() != self.release.fingerprint:
            return _moved(
                "it changed on the server while it was read: what is here stays, nothing was put in its place"
            )
        says = self._verify()
        if says is not None:
            return says
        self._times()
        self.stage.publish(single=self.release.single)
        return None

    def _fingerprint(self) -> str:
        """Of the release as it is on the server now; no second one is made of it, as it may have very many files."""
        order = self.order
        if self.release.single:
            return look(self.client, order).fingerprint
        tree = self.client.read(RemoteTree(order.connection, order.remote))
        return fingerprint(wanted(order.name, tree, order.exclude))

    def _local(self, file: RemoteFile) -> str:
        return file.path or self.order.name

    def _names(self) -> set[str]:
        """Files of the release and the folders above them, as they lie in the hidden folder."""
        found: set[str] = set()
        for file in self.release.files:
            path = self._local(file)
            found.add(path)
            while "/" in path and (path := path.rpartition("/")[0]) not in found:
                found.add(path)
        return found

    def _job(self, file: RemoteFile) -> Job:
        name = self._local(file)
        remote = f"{self.order.remote}/{file.path}" if file.path else self.order.remote
        lacks = missing(file.size, self.stage.have(name, file.size, file.mtime_ns))
        return Job(name, remote, file.size, file.mtime_ns, lacks)

    def _jobs(self, files: tuple[RemoteFile, ...]) -> Iterator[Job]:
        for file in files:
            job = self._job(file)
            self.before += file.size - sum(length for _, length in job.missing)
            yield job

    def _fetch(self, files: tuple[RemoteFile, ...]) -> bool:
        self.before = self.release.bytes - sum(f.size for f in files)

        def told(arrived: int) -> None:
            self.told(self.before + arrived)

        return Fetch(self.client.gate, self._jobs(files), _Into(self.stage), self.order.pace, told, self.stopped).run()

    def _halted(self) -> Verdict:
        here = sum(
            f.size - sum(n for _, n in missing(f.size, self.stage.marked(self._local(f), f.size, f.mtime_ns)))
            for f in self.release.files
        )
        says = f"stopped with {size_text(here)} of {size_text(self.release.bytes)} here: the next run carries on"
        return Verdict("not-done", says, done_bytes=here, total_bytes=self.release.bytes)

    # ------------------------------------------------------------------------------------------------- verifying

    def _verify(self) -> Verdict | None:
        """None when every byte is as the server has it, as far as it was asked for."""
        if self.order.verify == "reread":
            self.how = BY_READING
            return self._reread()
        if self.order.verify == "size":
            self.how = BY_SIZE
            return None
        files, self.how = self.release.files, BY_CHECKSUM
        for _ in range(AGAIN):
            try:
                differ = self._different(files)
            except ReadFailed as e:
                if e.code != "refused":
                    raise
                self.how = NO_CHECKSUMS  # every file has the size that was told, and ends there
                return None
            if not differ:
                return None
            for file in differ:
                self.stage.forget(self._local(file))
            if not self._fetch(differ):
                return self._halted()
        return Verdict(
            "not-done",
            f"{shown(self._local(differ[0]))} differs from the server's checksum, also when fetched again",
            remedy="look at the disks of both machines",
        )

    def _different(self, files: tuple[RemoteFile, ...]) -> tuple[RemoteFile, ...]:
        """Those whose checksum is not the server's. Some at a time, both ends at once: there may be very many."""
        some = (files[at : at + TOGETHER] for at in range(0, len(files), TOGETHER))
        found: list[RemoteFile] = []
        with ThreadPoolExecutor(2, thread_name_prefix="here") as here, ThreadPoolExecutor(AHEAD) as there:
            asked = deque((part, there.submit(self._sums, part)) for part in islice(some, AHEAD))
            while asked:
                part, told = asked.popleft()
                mine = here.map(lambda f: _sha256(self.stage.files / self._local(f)), part)
                found += [file for file, one, other in zip(part, mine, told.result(), strict=True) if one != other]
                asked.extend((part, there.submit(self._sums, part)) for part in islice(some, 1))
        return tuple(found)

    def _sums(self, files: tuple[RemoteFile, ...]) -> list[str]:
        """The server's checksums."""
        paths = tuple(f"{self.order.remote}/{f.path}" if f.path else self.order.remote for f in files)
        told = self.client.read(Digests(self.order.connection, paths))
        return [told[path] for path in paths]

    def _reread(self) -> Verdict | None:
        check = _Compare(self.stage)
        jobs = (self._job(f) for f in self.release.files)
        whole = (Job(j.name, j.path, j.size, j.mtime_ns, [(0, j.size)] if j.size else []) for j in jobs)
        pace = self.order.pace
        if not Fetch(self.client.gate, whole, check, pace, lambda _arrived: None, self.stopped).run():
            return self._halted()
        if not check.differ:
            return None
        name = min(check.differ)
        self.stage.forget(name)
        says = f"{shown(name)} was read otherwise the second time: it is fetched anew by the next run"
        return Verdict("not-done", says, remedy="look at the disks of both machines")

    def _times(self) -> None:
        """Folders get the time of their newest file: the server's own is that of its last change of names."""
        newest: dict[Path, int] = {}
        for file in self.release.files:
            folder = (self.stage.files / self._local(file)).parent
            while folder != self.stage.files.parent:
                newest[folder] = max(newest.get(folder, 0), file.mtime_ns)
                folder = folder.parent
        for folder, mtime_ns in newest.items():
            os.utime(folder, ns=(mtime_ns, mtime_ns))


def _sha256(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size <= SMALL:  # not worth the buffer of a large one
            return hashlib.sha256(file.read()).hexdigest()
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Into:
    """What arrives goes into the hidden folder."""

    def __init__(self, stage: Staging) -> None:
        self._stage = stage

    def write(self, job: Job, offset: int, data: memoryview) -> None:
        self._stage.write(job.name, job.size, offset, data)

    def done(self, job: Job, offset: int, length: int) -> None:
        self._stage.done(job.name, job.size, job.mtime_ns, offset, length)

    def finished(self, job: Job) -> None:
        self._stage.finished(job.name, job.size, job.mtime_ns)


class _Compare:
    """What arrives is compared with what is here."""

    def __init__(self, stage: Staging) -> None:
        self._stage = stage
        self.differ: set[str] = set()

    def write(self, job: Job, offset: int, data: memoryview) -> None:
        with (self._stage.files / job.name).open("rb") as file:
            if os.pread(file.fileno(), len(data), offset) != data:
                self.differ.add(job.name)

    def done(self, job: Job, offset: int, length: int) -> None: ...

    def finished(self, job: Job) -> None: ...
