"""A pytest run with cloud tests: what it holds, which router answers each test and fixture, what is kept at the end."""
