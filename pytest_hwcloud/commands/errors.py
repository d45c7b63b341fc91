"""The one error of the command line that means: wrong use or unreadable input, exit code 2."""

from __future__ import annotations


class UsageError(Exception):
    """What was wrong, where, and what to do; printed without a traceback."""
