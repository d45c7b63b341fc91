"""Signatures: canonical form, algorithms, the requests auth, verification."""
