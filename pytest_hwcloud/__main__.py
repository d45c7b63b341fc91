"""`pytest-hwcloud` and `python -m pytest_hwcloud`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit code is 0 (clean), 1 (a finding or denial) or 2 (wrong use)."""
    from pytest_hwcloud.commands.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
