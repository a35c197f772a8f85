"""wgmqtt that breaks no session of a router: what TCP does alone. Edge: a program like `python -m wgmqtt`."""

import math
import sys

from wgmqtt import cli, late

if __name__ == "__main__":
    late.LATE_S = math.inf
    sys.exit(cli.main())
