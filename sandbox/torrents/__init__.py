"""Simulated torrent programs: the dialects and versions that no package of this machine shows, and lists of any length.

    rtorrent     SCGI and HTTP, 0.9.8 or 0.16 behind a proxy that is not trusted
    qbittorrent  4.5's or 5.2's way to log in, and its login page where an answer should be

Servers are threads of the process that starts them. What they hold is a `Torrent` each, over files that may be there.
"""
