"""`python -m tests.laws.later SECONDS …`: the command line of `arr`, in a process whose clock is ahead by so much."""

from __future__ import annotations

import sys
from datetime import timedelta
from unittest.mock import patch

from reconciler.cli.main import run
from reconciler.clock import SystemClock

if __name__ == "__main__":
    ahead, now = timedelta(seconds=float(sys.argv.pop(1))), SystemClock.now
    with patch.object(SystemClock, "now", lambda clock: now(clock) + ahead):
        run()
