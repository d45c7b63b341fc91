"""Cassettes: load, match, replay through the gates, record, check."""
