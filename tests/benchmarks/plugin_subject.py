"""The seam where pytest-hwcloud itself is plugged into the benchmarks.

Every function below returns what one benchmark needs to measure the plugin as
subject `hwcloud`, next to the peers and in the same run. Each is looked up in the project's own adapter file (below); a function that is
missing there leaves the subject out of that benchmark. Nothing else in this
folder knows about the plugin.

Contracts (the same objects the peers in each script return):

startup() -> dict(args=[...])
    Command-line arguments that load the plugin with autoloading off,
    e.g. {"args": ["-p", "pytest_hwcloud.plugin"]}.

suite() -> suites.Suite
    How to write and run the replay suite (see suites.py): pytest
    arguments, a conftest, the source of test number i, and the files a test
    replays. Test i must check status 401 and the error code APIGW.0301 exactly
    as the peers' tests do.

cassette() -> cassette_subjects.CassetteSubject
    save/load/replay of one cassette with N interactions. It is made anew in
    child processes, which see the plugin only if it is installed in the venv.

signer(ak, sk) -> signing_subjects.SignerSubject
    prepare(spec) -> native request (not timed); sign(native) (timed). For the
    plugin the native request is a requests.PreparedRequest.

policy() -> object with .build(document) -> callable(action, resource) -> bool
    build() is timed as the preparation, the callable as the decision. The
    answers must be moto's (deny wins, then allow, then no).

call() -> {"hwcloud live": f, "hwcloud replay": g}
    f and g without arguments return a bench7_call.CallSubject: a signed session
    against the loopback server, and the replay. Names start with "hwcloud".
"""

from __future__ import annotations

import importlib.util
import os
import pathlib

from common import Unavailable, has

# The project's own adapter: a file with the same six functions, named by HWCLOUD_BENCH_ADAPTER
# or lying beside this one.
_FILE = pathlib.Path(
    os.environ.get("HWCLOUD_BENCH_ADAPTER", pathlib.Path(__file__).with_name("hwcloud_adapter.py"))
).resolve()


def _load():
    if not _FILE.is_file() or pathlib.Path(__file__).resolve() == _FILE:
        return None
    spec = importlib.util.spec_from_file_location("project_hwcloud_adapter", _FILE)
    module = importlib.util.module_from_spec(spec)
    os.environ["HWCLOUD_BENCH_ADAPTER"] = str(_FILE)  # for child processes in other folders
    spec.loader.exec_module(module)
    return module


_PROJECT = _load()


def _ask(what: str, *args):
    has("pytest_hwcloud")
    function = getattr(_PROJECT, what, None)
    if function is None:
        raise Unavailable(f"no {what}() in {_FILE.name}")
    return function(*args)


def startup() -> dict:
    return _ask("startup")


def suite():
    return _ask("suite")


def cassette():
    return _ask("cassette")


def signer(ak: str, sk: str):
    return _ask("signer", ak, sk)


def policy():
    return _ask("policy")


def call():
    return _ask("call")
