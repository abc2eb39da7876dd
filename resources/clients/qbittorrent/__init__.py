"""qBittorrent 4.4 and newer, by its web API. APP is the app; values and queries are those of `resources.clients.torrents`."""

from resources.clients.qbittorrent.app import APP

__all__ = ["APP"]
