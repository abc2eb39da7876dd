"""An SFTP server as a connection of a stack: strict about who answers, pipelined in what it asks.

    app      what the connection says         names    which names may become local paths
    trust    whose host key is right          login    a transport, logged in
    wire     the protocol's packets           line     one channel of it, many requests in flight
    listing  a tree in few round trips        digests  checksums made by the server
    fetch    files come home, in segments     client   what the kinds see
    sight    files as this machine's are seen  quarantine  deleting by moving aside, there

`__init__` imports nothing of paramiko, so that commands that only load the desired state stay quick.
"""

from __future__ import annotations

from resources.clients.sftp.app import APP, SftpSpec
from resources.clients.sftp.queries import Digests, RemoteBytes, RemoteFile, RemoteStat, RemoteTree

__all__ = ["APP", "Digests", "RemoteBytes", "RemoteFile", "RemoteStat", "RemoteTree", "SftpSpec"]
