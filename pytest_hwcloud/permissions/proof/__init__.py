"""The proof: each needed permission denied in turn."""
