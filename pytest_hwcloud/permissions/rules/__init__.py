"""The rules behind the findings."""
