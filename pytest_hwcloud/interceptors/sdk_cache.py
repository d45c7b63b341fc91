"""The official SDK keeps the project and domain ids that it found for as long as the process lives.

So the first test of a process asks IAM and the next ones do not: what a test calls and needs would depend on the order
of the tests. Each test begins without that memory, as if it ran alone.
"""

from __future__ import annotations

import sys

# Module, class and attribute; the second is how older versions have it.
_PLACES = (
    ("huaweicloudsdkcore.auth.credentials", "Credentials", "_CACHE"),
    ("huaweicloudsdkcore.auth.cache", "AuthCache", "_cache_dict"),
)


def forget() -> None:
    """Empty the SDK's memory, if the SDK is loaded."""
    for module, owner, attribute in _PLACES:
        if module in sys.modules:
            memory = getattr(getattr(sys.modules[module], owner, None), attribute, None)
            if isinstance(memory, dict):
                memory.clear()
