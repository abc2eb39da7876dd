"""rtorrent, by XML-RPC over SCGI or HTTP. APP is the app; values and queries are those of `resources.clients.torrents`."""

from resources.clients.rtorrent.app import APP

__all__ = ["APP"]
