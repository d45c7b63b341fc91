"""Benchmark 3 with the parsed form of every cassette in the cache.

HWCLOUD_BENCH_ADAPTER=tests/benchmarks/cached_adapter.py .venv-bench/bin/python tests/benchmarks/bench3_cassette.py
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

# By its file: a module of this name is the benchmarks' own.
_SPEC = importlib.util.spec_from_file_location("uncached_adapter", Path(__file__).with_name("hwcloud_adapter.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
_ADAPTER = sys.modules[_SPEC.name] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_ADAPTER)


def cassette() -> Any:
    """A cassette that this machine has read before."""
    return _ADAPTER.Cassette(cached=True)
