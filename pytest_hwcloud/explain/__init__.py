"""Why a call failed, in the words of the guide: evidence, explanation, notes."""
