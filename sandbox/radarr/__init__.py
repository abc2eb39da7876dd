"""Radarr 6 as the sandbox plays it: movies, their files, their moves, over the shared Servarr frame."""
