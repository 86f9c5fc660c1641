"""`python -m snapkeep`."""

import sys

from snapkeep.cli import main

if __name__ == "__main__":
    sys.exit(main())
