"""`python -m modelcheck` is the command `modelcheck`."""

import sys

from modelcheck.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
