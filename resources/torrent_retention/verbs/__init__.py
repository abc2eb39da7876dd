"""What this kind does: `remove` and `pause` a torrent, `quarantine` an orphan, `restore` or `purge` a batch."""

from resources.torrent_retention.verbs.batches import PURGE, QUARANTINE, RESTORE
from resources.torrent_retention.verbs.torrents import PAUSE, REMOVE

__all__ = ["PAUSE", "PURGE", "QUARANTINE", "REMOVE", "RESTORE"]
