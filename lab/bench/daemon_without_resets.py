"""A program like `python -m wgmqtt` that never resets a stale connection, to measure TCP's own recovery."""

import math
import sys

from wgmqtt.cli import main
from wgmqtt.engine import stale_sessions

if __name__ == "__main__":
    stale_sessions.STALE_S = math.inf
    sys.exit(main.main())
