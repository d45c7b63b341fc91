"""The lock file: read, written, merged, compared with a run."""
