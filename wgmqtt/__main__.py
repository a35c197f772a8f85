"""`python -m wgmqtt` is the command line. Edge: the process."""

import sys

from wgmqtt.cli.main import main

sys.exit(main())
