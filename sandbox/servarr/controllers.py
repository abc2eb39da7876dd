"""The controllers both apps share, each a function that adds its routes to an app.

An app calls those it has in its `build`. They model what the recordings show of them: statuses, shapes and refusals.
"""

from __future__ import annotations

from sandbox.binding import STRING, Model
from sandbox.errors import Failed, Invalid, NetError, Problem, failure
from sandbox.http import Request, Response
from sandbox.servarr.app import App
from sandbox.servarr.paging import paged, read_page
from sandbox.transfer import is_video
from sandbox.values import NEVER, Json, iso, now, span, span_since_year_one, words


def add_system(app: App, tasks: list[tuple[str, int, int]]) -> None:
    """`/ping`, `/api`, `/system/*`, `/health`. `tasks` are (name, interval in minutes, id)."""
    app.tasks = tasks
    app.route("GET", "/ping", lambda _r: Response(200, {"status": "OK"}))
    app.route("HEAD", "/ping", lambda _r: Response(200, {"status": "OK"}))
    app.route("GET", "/api", lambda _r: Response(200, dict(app.CURRENT_API)))
    app.api("GET", "/system/status", lambda _r: Response(200, _status(app)))
    app.api("GET", "/system/task", lambda _r: Response(200, _tasks(app, tasks)))
    app.api("GET", "/system/backup", lambda _r: Response(200, []))
    app.api("GET", "/health", lambda _r: Response(200, app.health()))
    app.api("POST", "/system/restart", lambda _r: _restart(app), body=False)


def _status(app: App) -> Json:
    return {
        "appName": app.NAME,
        "instanceName": app.config.instance_name or app.NAME,
        "version": app.version,
        "buildTime": iso(app.started_at),
        "isDebug": True,
        "isProduction": False,
        "isAdmin": False,
        "isUserInteractive": True,
        "startupPath": "/app",
        "appData": "/config",
        "osName": "debian",
        "osVersion": "12",
        "isNetCore": True,
        "isLinux": True,
        "isOsx": False,
        "isWindows": False,
        "isDocker": True,
        "mode": "console",
        "branch": "main",
        "authentication": app.config.authentication,
        "migrationVersion": 217,
        "urlBase": app.url_base,
        "runtimeVersion": "10.0.12",
        "runtimeName": ".NET",
        "startTime": iso(app.started_at),
        "packageUpdateMechanism": "builtIn",
        "databaseVersion": "3.40.1",
        "databaseType": "sqLite",
        **app.STATUS,
    }


def _tasks(app: App, tasks: list[tuple[str, int, int]]) -> list[Json]:
    def one(name: str, minutes: int, ident: int) -> Json:
        ran = app.commands.executed.get(name)
        last = ran[0] if ran else app.started_at
        following = last.timestamp() + minutes * 60
        return {
            "name": words(name),
            "taskName": name,
            "interval": minutes,
            "lastExecution": iso(last),
            "lastStartTime": iso(last) if ran else NEVER,
            "nextExecution": iso(now().fromtimestamp(following, tz=last.tzinfo)),
            "lastDuration": span(ran[1]) if ran else span_since_year_one(),
            "id": ident,
        }

    return [one(*t) for t in sorted(tasks)]


def _restart(app: App) -> Response:
    app.restart()
    return Response(200, {"restarting": True})


def add_commands(app: App) -> None:
    """`/command`."""

    def post(request: Request) -> Response:
        name = request.bind(Model("CommandResource", {"name": STRING})).get("name")
        if not name:
            _refuse_name(name)
        spec = app.commands.specs.get(name.lower())
        if spec is None:
            raise app.misused("Sequence contains no matching element")
        try:
            sent = request.bind(spec.model)
        except Problem as problem:
            told = next(iter((problem.errors or {}).values()))[0]
            raise Failed(500, told, "System.Text.Json.JsonException") from None
        made = app.commands.push(name, sent, asked=True)
        return Response(201, app.commands.show(made), headers=app.location(request.origin, f"/command/{made.id}"))

    def get(request: Request) -> Response:
        found = app.commands.find(request.params["id"])
        if found is None:
            raise app.missing()
        return Response(200, found)

    def delete(request: Request) -> Response:
        if not app.commands.cancel(request.params["id"]):
            raise Failed(409, "Unable to cancel task", "NzbDrone.Core.Exceptions.NzbDroneClientException")
        return Response(200)

    app.api("POST", "/command", post)
    app.api("GET", "/command", lambda _r: Response(200, app.commands.all()))
    app.api("GET", "/command/{id}", get)
    app.api("DELETE", "/command/{id}", delete)


def _refuse_name(name: str | None) -> None:
    text = "'Name' must not be empty."
    empty = failure("Name", text, "NotEmptyValidator", name)
    raise Invalid(*([failure("Name", text, "NotNullValidator")] if name is None else []), empty)


def add_log(app: App) -> None:
    """`/log`."""

    def get(request: Request) -> Response:
        page = read_page(request, ("time", "id", "level", "logger", "message"))
        rows = app.log.rows(request.query.text("level"))
        if page.direction == "ascending":
            rows.reverse()
        return Response(200, paged(page, rows, lambda r: r))

    app.api("GET", "/log", get)
    app.api("GET", "/log/file", lambda _r: Response(200, []))


def add_queue(app: App, unknown_flag: str, item: str) -> None:
    """`/queue`: the records of the world's `queue`. `item` (`seriesId`) tells known records from unknown ones."""

    def rows(request: Request) -> list[Json]:
        shown: list[Json] = app.world.get("queue", [])
        if not request.query.flag(unknown_flag):
            shown = [r for r in shown if r.get(item)]
        wanted = request.query.integers(f"{item}s") + request.query.integers(item)
        return [r for r in shown if not wanted or r.get(item) in wanted]

    def get(request: Request) -> Response:
        page = read_page(request, ("timeleft", "status", "title", "size", "added", "progress"))
        key = page.sort_key if page.sort_key != "progress" else "sizeleft"
        found = sorted(
            rows(request), key=lambda r: (str(r.get(key, "")), r["id"]), reverse=page.direction == "descending"
        )
        return Response(200, paged(page, found, lambda r: r, rewinds=True))

    def status(_request: Request) -> Response:
        known, every = [r for r in app.world.get("queue", []) if r.get(item)], app.world.get("queue", [])
        levels = [r.get("trackedDownloadStatus") for r in known]
        strange = [r.get("trackedDownloadStatus") for r in every if not r.get(item)]
        figures = {"totalCount": len(every), "count": len(known), "unknownCount": len(every) - len(known)}
        flags = {"errors": "error" in levels, "warnings": "warning" in levels}
        more = {"unknownErrors": "error" in strange, "unknownWarnings": "warning" in strange}
        return Response(200, {**figures, **flags, **more})

    app.api("GET", "/queue", get)
    app.api("GET", "/queue/details", lambda r: Response(200, rows(r)))
    app.api("GET", "/queue/status", status)


def add_filesystem(app: App, hidden: frozenset[str] = frozenset()) -> None:
    """`/filesystem` and `/diskspace`. `hidden` folder names are left out of listings."""

    def get(request: Request) -> Response:
        path = request.query.text("path") or ""
        with_files = request.query.flag("includeFiles")
        return Response(
            200, browse(app, path, with_files, request.query.flag("allowFoldersWithoutTrailingSlashes"), hidden)
        )

    def kind(request: Request) -> Response:
        path = request.query.text("path") or ""
        return Response(200, {"type": "file" if app.disks.is_file(path) else "folder"})

    def media(request: Request) -> Response:
        return Response(200, media_files(app, request.query.text("path") or ""))

    def space(_request: Request) -> Response:
        free, total = app.disks.machine()
        fixed = [(d.path, app.disks.free(d.path), d.size) for d in app.disks.all() if d.fixed]
        rows = [("/", free, total), *fixed]
        return Response(200, [{"path": p, "label": "", "freeSpace": f, "totalSpace": t} for p, f, t in rows])

    app.api("GET", "/filesystem", get)
    app.api("GET", "/filesystem/type", kind)
    app.api("GET", "/filesystem/mediafiles", media)
    app.api("GET", "/diskspace", space)


def browse(app: App, path: str, with_files: bool, bare: bool, hidden: frozenset[str]) -> Json:
    """A folder's listing; a path without a slash at its end stands for the folder it is in, unless `bare` is allowed."""
    if bare and path and not path.endswith("/"):
        path += "/"
    folder = path[: path.rfind("/") + 1] or "/"
    parent = folder.rstrip("/").rsplit("/", 1)[0] + "/" if folder != "/" else None
    answer: Json = {"parent": parent} if parent else {}
    answer |= {"directories": [], "files": []}
    inside = folder.rstrip("/")
    if not app.disks.is_folder(inside or "/"):
        return answer
    try:
        folders, files = app.disks.listing(inside or "/")
    except NetError:
        return answer
    names = (n for n in sorted(folders, key=str.lower) if n.lower() not in hidden)
    answer["directories"] = [
        {
            "type": "folder",
            "name": n,
            "path": f"{inside}/{n}/",
            "size": 0,
            "lastModified": _modified(app, f"{inside}/{n}"),
        }
        for n in names
    ]
    if with_files:
        answer["files"] = [_file(app, inside, n) for n in sorted(files, key=str.lower)]
    return answer


def _modified(app: App, path: str) -> str:
    return iso(now().fromtimestamp(app.disks.modified(path), tz=now().tzinfo))


def _file(app: App, folder: str, name: str) -> Json:
    path = f"{folder}/{name}"
    extension = name[name.rfind(".") :] if "." in name else ""
    size = app.disks.size(path)
    return {
        "type": "file",
        "name": name,
        "path": path,
        "extension": extension,
        "size": size,
        "lastModified": _modified(app, path),
    }


def media_files(app: App, path: str) -> list[Json]:
    """Every video below a folder; none when there is no such folder."""
    base = path.rstrip("/")
    if not base or not app.disks.is_folder(base):
        return []
    found = [p for p in app.disks.walk(base) if is_video(p)]
    return [{"path": p, "relativePath": p[len(base) + 1 :], "name": p.rsplit("/", 1)[1]} for p in found]
