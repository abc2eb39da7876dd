"""An SFTP server that lies: real SSH, answers of our own. It tells of files what it is told to tell.

Real servers tell the truth about sizes and never list `..` as a file; this one does neither.
"""

from __future__ import annotations

import socket
import stat
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import paramiko
from paramiko.common import AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_EOF

from resources.clients.sftp import SftpSpec
from resources.clients.sftp.trust import fingerprint
from tests.live.sftp.server import keygen


@dataclass
class Told:
    """A file of the server: the size that it tells, and what reading it gives."""

    size: int
    data: bytes


class _Gate(paramiko.ServerInterface):
    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"


class _Handle(paramiko.SFTPHandle):
    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data

    def read(self, offset: int, length: int) -> bytes | int:
        return self._data[offset : offset + length] or SFTP_EOF


class Liar:
    """The server. `files`: names of the one folder `/box/Show`."""

    def __init__(self, folder: Path, files: dict[str, Told]) -> None:
        self.files = files
        self.user_key = keygen(folder / "user")
        host_key = paramiko.Ed25519Key.from_private_key_file(str(keygen(folder / "host")))
        self._sock = socket.create_server(("127.0.0.1", 0))
        self._transports: list[paramiko.Transport] = []
        self._host_key = host_key
        self.spec = SftpSpec.model_validate(
            {
                "app": "sftp",
                "host": "127.0.0.1",
                "port": self._sock.getsockname()[1],
                "user": "me",
                "key": str(self.user_key),
                "host_key": fingerprint(host_key),
                "timeout": "10s",
            }
        )
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        files = self.files

        class Server(paramiko.SFTPServerInterface):
            def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
                return [_attributes(name, told) for name, told in files.items()]

            def lstat(self, path: str) -> paramiko.SFTPAttributes | int:
                told = files.get(path.rpartition("/")[2])
                return _attributes("", told)

            def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle | int:
                return _Handle(files[path.rpartition("/")[2]].data)

        while True:
            try:
                sock, _ = self._sock.accept()
            except OSError:
                return
            transport = paramiko.Transport(sock)
            transport.add_server_key(self._host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Server)
            self._transports.append(transport)
            transport.start_server(event=threading.Event(), server=_Gate())

    def __enter__(self) -> Liar:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with closing(self._sock):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=20)
        for transport in self._transports:
            transport.close()


def _attributes(name: str, told: Told | None) -> paramiko.SFTPAttributes:
    found = paramiko.SFTPAttributes()
    found.filename = name
    found.st_mode = (stat.S_IFREG if told else stat.S_IFDIR) | 0o644
    found.st_size = told.size if told else 0
    found.st_atime = found.st_mtime = 1_700_000_000
    return found
