"""Who refers to which bytes: torrents of every client, library folders of every app, and hard links, on one map.

    places    one folder under the names that several programs give it
    graph     what names a file, who hangs together, and what is really freed when names go

Kinds that destroy payloads ask here first: a payload goes only when everybody who refers to its path agrees, and what a
plan says it frees is what the disk gives back. Pure; what cannot be told is told as unknown.
"""

from resources.references.graph import Freed, Graph, Referer
from resources.references.places import Place, Sight, place, seen, sights

__all__ = ["Freed", "Graph", "Place", "Referer", "Sight", "place", "seen", "sights"]
