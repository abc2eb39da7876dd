"""What the simulated Sonarr and Radarr share."""
