"""The simulated Sonarr 4 and 5."""
