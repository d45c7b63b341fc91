"""Why a call failed, in the words of the guide: evidence, explanation, notes.

Not called `explain`: that name in the package is the function that users import.
"""
