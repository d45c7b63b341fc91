"""The console script, a file a command; and the one error that means wrong use or unreadable input, exit code 2."""

from __future__ import annotations


class UsageError(Exception):
    """What was wrong, where, and what to do; printed without a traceback."""
