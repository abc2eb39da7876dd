"""The error shapes of the servers, as exceptions that handlers raise and `http` turns into answers.

    Answer
    ├── Empty            a status and nothing else: 401, 404 of an unknown route, 405, 406, 415
    ├── Problem          problem details: model binding (400), a missing object on GET (404)
    ├── Invalid          an array of validation failures (400)
    └── Failed           {message, description?, content?}: thrown by the application (404, 409, 500, 503)

Beside them `NetError` is what a command or a file operation raises: it carries the .NET type's name, because the log,
the `exception` of a command and the outcome of a move depend on it.
"""

from __future__ import annotations

import errno
from typing import Any

from sandbox.values import Json, camel, trace_id

STACK = "\n   at (stack)"
_PROBLEM_TYPES = {
    400: ("https://tools.ietf.org/html/rfc9110#section-15.5.1", "One or more validation errors occurred."),
    404: ("https://tools.ietf.org/html/rfc9110#section-15.5.5", "Not Found"),
    415: ("https://tools.ietf.org/html/rfc9110#section-15.5.16", "Unsupported Media Type"),
}


class Answer(Exception):
    """An answer that ends the handling of a request; `status` is its HTTP status."""

    status: int = 500


class Empty(Answer):
    """A status without a body, with further headers when the protocol wants them (`Allow`)."""

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.headers = status, headers or {}


class Problem(Answer):
    """Problem details; `errors` maps a field (`$.seriesId`, `pageSize`) to its messages."""

    def __init__(self, status: int, errors: dict[str, list[str]] | None = None) -> None:
        super().__init__(status, errors)
        self.status, self.errors = status, errors

    def body(self) -> Json:
        kind, title = _PROBLEM_TYPES[self.status]
        errors = {"errors": self.errors} if self.errors is not None else {}
        return {"type": kind, "title": title, "status": self.status, **errors, "traceId": trace_id()}


class Invalid(Answer):
    """Validation failures, as `failure` makes them."""

    status = 400

    def __init__(self, *failures: Json) -> None:
        super().__init__(*failures)
        self.failures = list(failures)


class Failed(Answer):
    """An exception of the application. `kind` is its .NET type; it stands in `description` with a cut stack."""

    def __init__(self, status: int, message: str, kind: str | None = None, content: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.content = status, message, kind, content

    def body(self) -> Json:
        extra: Json = {}
        if self.kind is not None:
            extra["description"] = f"{self.kind}: {self.message}{STACK}"
        if self.content is not None:
            extra["content"] = self.content
        return {"message": self.message, **extra}


def missing() -> Problem:
    """404 of a GET by an id that nothing has."""
    return Problem(404)


def bad_request(content: str) -> Failed:
    """400 of a request that the controller itself refuses."""
    return Failed(400, f"BadRequest: {content}", content=content)


def model_not_found(model: str, ident: int) -> Failed:
    """404 of a write to an id that nothing has."""
    return Failed(404, f"{model} with ID {ident} does not exist", "NzbDrone.Core.Datastore.ModelNotFoundException")


def rows_missing(wanted: int, found: int) -> Failed:
    """500 of a bulk call where some id does not exist."""
    text = f"Expected query to return {wanted} rows but returned {found}"
    return Failed(500, text, "System.ApplicationException")


def unique_violation(column: str) -> Failed:
    """409 of a second row with the same key."""
    text = f"constraint failed\nUNIQUE constraint failed: {column}"
    error = Failed(409, text)
    error.kind = "code = Constraint (19), message = System.Data.SQLite.SQLiteException (0x800027AF)"
    return error


def null_reference() -> Failed:
    """500 of an omitted value that the code needs."""
    return Failed(500, "Object reference not set to an instance of an object.", "System.NullReferenceException")


ABSENT: Any = object()


def failure(
    prop: str, message: str, code: str, attempted: Any = None, label: str | None = None, **placeholders: Any
) -> Json:
    """One validation failure. `attempted` None is null: omitted as the value, null among the placeholders."""
    value = {} if attempted is None else {"attemptedValue": attempted}
    return {
        "propertyName": prop,
        "errorMessage": message,
        **value,
        "severity": "error",
        "errorCode": code,
        "formattedMessageArguments": [],
        "formattedMessagePlaceholderValues": {
            **{camel(k): v for k, v in placeholders.items()},
            "propertyName": label or prop,
            "propertyValue": attempted,
        },
    }


class NetError(Exception):
    """A failure inside the server: `kind` is the .NET type, `inner` the text of the exception within it, if any."""

    def __init__(self, kind: str, message: str, inner: str | None = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.inner = kind, message, inner

    @property
    def denied(self) -> bool:
        """Whether this is an UnauthorizedAccessException, which is not an IOException."""
        return self.kind == "System.UnauthorizedAccessException"

    @property
    def io(self) -> bool:
        """Whether .NET counts it among the IOExceptions."""
        return self.kind.startswith("System.IO.")

    def full(self) -> str:
        """The exception as the log and a command's `exception` print it."""
        inner = f"\n ---> {self.inner}\n   --- End of inner exception stack trace ---" if self.inner else ""
        return f"{self.kind}: {self.message}{inner}{STACK}"


def io_error(message: str) -> NetError:
    """A plain IOException."""
    return NetError("System.IO.IOException", message)


def from_os(error: OSError, path: str) -> NetError:
    """The .NET exception for a failed system call on a virtual path."""
    if error.errno in (errno.EACCES, errno.EPERM):
        inner = "Permission denied" if error.errno == errno.EACCES else "Operation not permitted"
        text = f"Access to the path '{path}' is denied."
        return NetError("System.UnauthorizedAccessException", text, f"System.IO.IOException: {inner}")
    if error.errno == errno.ENOSPC:
        return io_error("No space left on device")
    if error.errno == errno.EROFS:
        return io_error(f"Read-only file system : '{path}'")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        text = f"Could not find a part of the path '{path}'."
        return NetError("System.IO.DirectoryNotFoundException", text)
    if error.errno == errno.EEXIST:
        return io_error(f"The file '{path}' already exists.")
    return io_error(f"{error.strerror} : '{path}'")
