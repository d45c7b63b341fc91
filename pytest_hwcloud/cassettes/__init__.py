"""Cassettes on disk: read, matched, written, scanned, scrubbed, compared."""
