"""Transmission 3 and newer, by its RPC. APP is the app; values and queries are those of `resources.clients.torrents`."""

from resources.clients.transmission.app import APP

__all__ = ["APP"]
