"""``python -m rolldeck``."""

import sys

from rolldeck.cli import main

sys.exit(main())
