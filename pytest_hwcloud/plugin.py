"""Every pytest hook and fixture, each one call into a room."""
