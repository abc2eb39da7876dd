"""What this kind does: `remove`, `pause` and `resume` a torrent, `quarantine` an orphan, `restore` or `purge` a batch."""

from resources.torrent_retention.verbs.batches import PURGE, QUARANTINE, RESTORE
from resources.torrent_retention.verbs.torrents import PAUSE, REMOVE, RESUME

__all__ = ["PAUSE", "PURGE", "QUARANTINE", "REMOVE", "RESTORE", "RESUME"]
