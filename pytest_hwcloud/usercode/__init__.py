"""The user's test: call site, statement, values, fixtures."""
