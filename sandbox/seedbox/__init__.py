"""A seedbox on loopback, of real parts: rtorrent, OpenSSH and a tracker of our own, beside a simulated Sonarr.

    metainfo   a .torrent file over data that lies on disk
    tracker    who has which torrent: a tracker for HTTP announces
    programs   rtorrent and sshd, each in a folder of its own
    scene      all of it together, with the files that a user would have written
    __main__   `make demo-seedbox`: one torrent's whole life, plan by plan

Nothing leaves the machine: every port is bound to the loopback; DHT, peer exchange and UDP trackers are off.
"""
