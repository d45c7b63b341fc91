"""Cause and fix of one failure: the code's own text, made concrete by what the run knows. The first rule wins."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from pytest_hwcloud.cloud.failures import Failure
from pytest_hwcloud.cloud.failures.codes import Entry
from pytest_hwcloud.explanations import advice_denied, advice_signature
from pytest_hwcloud.explanations.circumstances import Advice, Case, Circumstances, ScopeLike, url_host, url_path
from pytest_hwcloud.explanations.wording import Texts, age

# Key ids of other clouds, by their first letters.
FOREIGN_KEYS = {"LTAI": "Alibaba Cloud", "AKIA": "AWS", "ASIA": "AWS", "AKID": "Tencent Cloud", "AKLT": "Volcengine"}
_KEY = re.compile(r"\bak[ :]\s?([A-Za-z0-9]{4})", re.IGNORECASE)
_LIMIT = re.compile(r"policy (\w+) over ratelimit, ?limit: ?(\d{1,9}), ?time: ?(\d{1,6}) ?(\w{1,10})")
_TOKEN_KINDS = {"token-invalid", "token-expired", "authentication"}
_SIGNED_KINDS = {"signature", "authentication"}


def advise(failure: Failure, entry: Entry | None, known: Circumstances, words: Texts) -> Advice:
    """Cause and fix, as concrete as what is known allows."""
    cause, fix = words.of(entry) if entry else words.kind(_kind(failure))
    case = Case(failure=failure, entry=entry, known=known, words=words, cause=cause, fix=fix)
    return next((advice for rule in RULES if (advice := rule(case))), Advice(cause=cause, fix=fix))


def _kind(failure: Failure) -> str:
    """The kind whose text is shown for a failure without a known code; a bare 403 may be several things."""
    return "forbidden" if failure.kind == "unknown" and failure.status == 403 else failure.kind


def _network(case: Case) -> Advice | None:
    if case.failure.gate != "network" or case.entry:
        return None
    fault = case.failure.fault or case.failure.kind
    if fault == "proxy":
        return case.say("cause-proxy", "fix-proxy", proxy=_proxy(case))
    host = case.failure.host or url_host(case.url)
    unnamed = "" if host or fault != "dns" else "-unnamed"
    return case.say(f"cause-{fault}{unnamed}", f"fix-{fault}{unnamed}", host=host or case.words.say("the-host"))


_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy", "HTTP_PROXY")


def _proxy(case: Case) -> str:
    """`127.0.0.1:9 (https_proxy)`: the proxy without its password, and the variable that it came from."""
    told = case.failure.details.get("proxy", "")
    for variable in _PROXY_VARIABLES:
        value = os.environ.get(variable, "")
        address = value.rpartition("@")[2].partition("://")[2] or value.rpartition("@")[2]
        address = address.partition("/")[0]
        if address and (not told or told in (address, address.partition(":")[0])):
            return case.words.say("proxy-from", address=address, variable=variable)
    return told


def _inner(case: Case) -> Advice | None:
    """A job's or batch's code is vague; the more exact one lies inside."""
    if not case.failure.causes:
        return None
    inner = case.failure.root
    advice = advise(inner, _entry(inner), case.known, case.words)
    if not inner.code:
        return None
    if _entry(inner) is None and inner.message == case.failure.message:
        named = case.words.say("inner-code", code=inner.code)
        tells = case.failure.gate == "service" and not inner.code.isdecimal()
        return Advice(cause=case.words.join(case.cause, named), fix=case.fix) if tells else None
    exact = case.words.say("exactly", code=inner.code, cause=advice.cause)
    return Advice(cause=case.words.join(case.cause, exact), fix=advice.fix)


def _entry(failure: Failure) -> Entry | None:
    from pytest_hwcloud.explanations.wording import entry_of

    return entry_of(failure)


def _no_project(case: Case) -> Advice | None:
    """The SDK looked a project up, and the identity of the run has none of that name: no console can help."""
    if case.failure.code != "No project id found" or case.known.no_project is None:
        return None
    identity, region = case.known.no_project
    return case.say("cause-no-project", "fix-no-project", identity=identity, region=region)


def _project_in_path(case: Case) -> Advice | None:
    """A path whose project id was never filled in: `//` or `{project_id}`."""
    path = url_path(case.url)
    if case.failure.gate == "network" or case.failure.service == "obs":
        return None
    if "%7b" in path.lower() or "{" in path:
        return case.say("cause-unreplaced", "fix-project-id")
    return case.say("cause-empty-project", "fix-project-id") if re.search(r"/v\d[\w.]*//", path) else None


def _foreign_key(case: Case) -> Advice | None:
    found = _KEY.search(case.failure.message)
    cloud = FOREIGN_KEYS.get(found[1]) if found and case.failure.kind == "credential-not-found" else None
    return case.say("cause-foreign-key", "fix-foreign-key", prefix=found[1], cloud=cloud) if found and cloud else None


def _clock(case: Case) -> Advice | None:
    times = (
        advice_signature.times(case.failure.message, case.failure.details)
        if case.failure.kind == "clock-skew"
        else None
    )
    if not times:
        return None
    signed, server = times
    cause = case.words.say(
        "cause-clock",
        signed=advice_signature.shown_time(signed),
        server=advice_signature.shown_time(server),
        apart=advice_signature.apart(signed, server, case.words),
    )
    return Advice(cause=cause, fix=case.words.say("fix-clock-late" if signed < server else "fix-clock-ahead"))


def _signature(case: Case) -> Advice | None:
    if case.failure.kind not in _SIGNED_KINDS:
        return None
    theirs = advice_signature.canonical_in(case.failure.message)
    if not theirs:
        return None
    told = advice_signature.verdict(theirs, case.known.canonical_ours)
    compare = advice_signature.side_by_side(theirs, case.known.canonical_ours, case.words)
    cause = case.words.say(f"cause-signature-{told.what}", line=told.line, theirs=told.theirs, ours=told.ours)
    return Advice(cause=cause, fix=case.words.say(f"fix-signature-{told.what}"), compare=compare)


def _password(case: Case) -> Advice | None:
    if case.failure.family != "keystone" or "username or password" not in case.failure.message:
        return None
    return case.say("cause-password", "fix-password")


def _old_token(case: Case) -> Advice | None:
    """A token that outlived itself, or is of another region than the URL."""
    scope, region = case.known.token_scope, case.known.url_region
    if case.failure.kind != "token-expired" or case.known.token_age is None:
        return None
    fix = case.words.say("fix-new-token")
    if scope and region and scope.kind == "project" and not scope.name.startswith(region):
        return Advice(cause=case.words.say("cause-token-region", name=scope.name, region=region), fix=fix)
    return Advice(cause=case.words.say("cause-token-age", age=age(case.known.token_age, case.words)), fix=fix)


def _global_service(case: Case) -> Advice | None:
    """A project's token at a global service: it shows as a scope or an authentication failure."""
    scope = case.known.token_scope
    if not scope or scope.kind != "project" or case.failure.kind not in {"scope-mismatch", *_TOKEN_KINDS}:
        return None
    if _is_global(case.failure.service or case.known.service):
        return case.say(
            "cause-project-on-global", "fix-domain-token", service=case.service, name=scope.name or scope.id
        )
    return None


def _is_global(service: str | None) -> bool:
    from pytest_hwcloud.cloud.endpoints import service_scope

    try:
        return bool(service) and service_scope(service or "") == "global"
    except ValueError:
        return False


def _domain_as_project(case: Case) -> Advice | None:
    known = case.known
    if (
        not known.url_project
        or known.url_project != known.domain_id
        or case.failure.gate not in ("scope", "service", "authorization")
    ):
        return None
    right = known.projects.get(known.url_region or "")
    hint = case.words.say("right-project", id=right, region=known.url_region) if right else ""
    advice = case.say("cause-domain-as-project", "fix-domain-as-project", id=known.url_project)
    return Advice(cause=advice.cause, fix=case.words.join(advice.fix, hint))


def _scope(case: Case) -> Advice | None:
    if case.failure.gate != "scope":
        return None
    if case.known.credential == "aksk":
        return _signed_scope(case)
    return _token_scope(case, case.known.token_scope) if case.known.token_scope else None


def _signed_scope(case: Case) -> Advice:
    if not case.known.url_project:
        return case.say("cause-aksk-project-unnamed", "fix-aksk-project-unnamed")
    return case.say("cause-aksk-project", "fix-aksk-project", project=_project(case, case.known.url_project))


def _token_scope(case: Case, scope: ScopeLike) -> Advice | None:
    url_project = case.known.url_project
    if scope.kind == "domain":
        name = _project_name(case, url_project) or case.known.url_region
        example = case.words.say("token-call", name=name) if name else ""
        values = {"service": case.service, "domain": scope.name or scope.id, "example": example}
        return case.say("cause-domain-on-regional", "fix-project-token", **values)
    if not url_project or url_project == scope.id:
        return None
    wanted = _project(case, url_project)
    name = _project_name(case, url_project)
    example = case.words.say("token-call", name=name) if name else ""
    mine = scope.id
    if scope.name and scope.name != scope.id:
        mine = scope.name + case.words.say("aside", text=scope.id)
    return case.say("cause-other-project", "fix-other-project", mine=mine, wanted=wanted, example=example)


def _project(case: Case, project_id: str) -> str:
    name = _project_name(case, project_id)
    return name + case.words.say("aside", text=project_id) if name else project_id


def _project_name(case: Case, project_id: str | None) -> str | None:
    return next((name for name, known in case.known.projects.items() if known == project_id), None)


def _region(case: Case) -> Advice | None:
    """The endpoint is one region's, the project another's."""
    if case.failure.kind not in ("not-found", "permission-denied", "scope-mismatch") or not case.known.url_region:
        return None
    name = _project_name(case, case.known.url_project)
    if not name or name == case.known.url_region or name.startswith(case.known.url_region + "_"):
        return None
    return case.say("cause-region", "fix-region", project=name, region=case.known.url_region)


def _throttled(case: Case) -> Advice | None:
    found = _LIMIT.search(case.failure.message)
    if case.failure.kind != "throttling" or not found:
        return None
    whose = case.words.phrases.get(f"limit-{found[1]}", found[1])
    unit = case.words.phrases.get(f"unit-{found[4]}", found[4])
    return case.say("cause-limit", "fix-limit", whose=whose, limit=found[2], period=f"{found[3]} {unit}")


RULES: tuple[Callable[[Case], Advice | None], ...] = (
    _network,
    advice_denied.by_the_run,
    _no_project,
    _inner,
    _project_in_path,
    _foreign_key,
    _clock,
    _signature,
    _password,
    _old_token,
    _domain_as_project,
    _global_service,
    _scope,
    _region,
    advice_denied.advice,
    _throttled,
)
