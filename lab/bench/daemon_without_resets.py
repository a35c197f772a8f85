"""wgmqtt that breaks no session of a router: what TCP does alone. Edge: a program like `python -m wgmqtt`."""

import math
import sys

from wgmqtt.cli import main
from wgmqtt.engine import stale_sessions

if __name__ == "__main__":
    stale_sessions.STALE_S = math.inf
    sys.exit(main.main())
