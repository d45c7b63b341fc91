"""Formats on disk: YAML with lines, YAML text, JSON positions and edits, whole-file writing."""
