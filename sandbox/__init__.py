"""Simulated Sonarr and Radarr on loopback; see README.md in this folder."""
