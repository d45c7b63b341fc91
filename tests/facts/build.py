"""Rebuild every data file that the package ships from its sources: the only command for it, in any clone.

    python tests/facts/build.py            write what changed
    python tests/facts/build.py --check    only say what would change (exit status 1 if anything would)

Sources: `tests/facts/sources`; results: `pytest_hwcloud/cloud/facts`, and the table of coverage in the guide. The
same sources give the same bytes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import build_coverage
import build_endpoints
import build_errors
import build_permissions
import build_policies

SOURCES = Path(__file__).parent / "sources"
TARGET = Path(__file__).parents[2] / "pytest_hwcloud"
FACTS = "cloud/facts"
COVERAGE, CHINESE = "guide/coverage.md", "guide/zh/coverage.md"


def files(sources: Path = SOURCES) -> dict[str, str]:
    """Path below TARGET -> text, of every file that is built."""
    made: dict[str, str] = {}
    for builder in (build_endpoints, build_errors, build_permissions, build_policies):
        made |= {f"{FACTS}/{name}": text for name, text in builder.files(sources).items()}
    tables = {name: text for name, text in made.items() if name.startswith(f"{FACTS}/calls/")}
    pages = {
        COVERAGE: build_coverage.text(tables.values()),
        CHINESE: build_coverage.text(tables.values(), "zh"),
    }
    return {**made, **pages}


def changes(made: dict[str, str], target: Path = TARGET) -> dict[str, str]:
    """Path -> "new", "changed" or "gone", of the files in the package that are not as they would be built."""
    found_here = [*(target / FACTS).rglob("*"), target / COVERAGE, target / CHINESE]
    there = {path.relative_to(target).as_posix(): path for path in found_here if path.is_file()}
    found = {name: "gone" for name in there if name not in made}
    for name, text in made.items():
        if name not in there:
            found[name] = "new"
        elif there[name].read_bytes() != text.encode():
            found[name] = "changed"
    return dict(sorted(found.items()))


def write(made: dict[str, str], changed: dict[str, str], target: Path = TARGET) -> None:
    """Bring the package up to date, each file as a whole."""
    for name, kind in changed.items():
        path = target / name
        if kind == "gone":
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_bytes(made[name].encode())
        os.replace(draft, path)


def main(arguments: list[str]) -> int:
    """The command; gives its exit status."""
    if arguments not in ([], ["--check"]):
        print("usage: python tests/facts/build.py [--check]", file=sys.stderr)
        return 2
    made = files()
    changed = changes(made)
    for name, kind in changed.items():
        print(f"{kind:8} {name}")
    if arguments:
        return 1 if changed else 0
    write(made, changed)
    print(f"{len(made)} files, {sum(len(text.encode()) for text in made.values())} bytes, {len(changed)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
