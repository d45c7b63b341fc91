"""The fixtures `hwcloud` and `hwcloud_shared`: the cloud as one test sees it, and as fixtures of wider scope do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.cloud import endpoints
from pytest_hwcloud.cloud.identity import Identity, check_text, unknown
from pytest_hwcloud.cloud.tokens import Scope, Token, domain_scope, project_scope
from pytest_hwcloud.journal import CURRENT, Journal
from pytest_hwcloud.run.context import RunContext
from pytest_hwcloud.run.running_test import Case

if TYPE_CHECKING:
    import requests

    from pytest_hwcloud.explanations.explanation import Explanation
    from pytest_hwcloud.journal import Exchange
    from pytest_hwcloud.run.expectations import Refusal

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a client needs to sign: never shown in a repr."""

    ak: str = field(repr=False)
    sk: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    project_id: str | None
    domain_id: str
    region: str


class Cloud:
    """Sessions, tokens, URLs and SDK clients of the identities: what does not belong to one test (`hwcloud_shared`).

    A call has the rights and cassettes of whatever fixture or test runs when it is made.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context

    def __repr__(self) -> str:
        return f"<hwcloud: {self._context.settings.mode}, identity {self._name}, region {self._context.region}>"

    @property
    def _name(self) -> str:
        """The identity where a call names none."""
        return "default"

    @property
    def _journal(self) -> Journal | None:
        return CURRENT.journal

    def _asked_for(self, who: Identity, scope: Scope) -> Scope:
        """The scope that a token gets which was asked for with this one."""
        return scope

    def identity(self, name: str | None = None) -> Identity:
        """The identity with this name; without one, that of this test (marker hwcloud_identity)."""
        return self._context.identity(name or self._name)

    def session(self, identity: str | None = None, auth: Token | None = None) -> requests.Session:
        """A requests.Session that signs with the identity's AK/SK, or sends the token given as auth."""
        from pytest_hwcloud.cloud.signing.aksk import AkSkAuth
        from pytest_hwcloud.interceptors.cloud_session import CloudSession

        if auth is not None and not callable(auth):
            raise TypeError(texts.say("run.no-token-given", given=f"{type(auth).__name__}"))
        session = CloudSession()
        who = self.identity(identity)
        session.auth = auth or AkSkAuth(who.ak, who.sk, security_token=who.security_token)
        return session

    def token(
        self,
        project: str | None = None,
        domain: str | bool | None = None,
        *,
        identity: str | None = None,
        fresh: bool = False,
    ) -> Token:
        """A token scoped to a project (name or id; default: the run's region) or to the domain (True, a name or an id).

        Asked for once per identity and scope in a process; fresh=True asks again, as one must after a grant.
        """
        who = self.identity(identity)
        return self._context.tokens.token(who, self._asked_for(who, self._scope(who, project, domain)), fresh=fresh)

    def _scope(self, who: Identity, project: str | None, domain: str | bool | None) -> Scope:
        if domain in (None, False):
            check_text("hwcloud.token(project)", project or "")
            return project_scope(who, project or self._context.region)
        if project is not None:
            raise ValueError(texts.say("run.one-scope", project=project, domain=domain))
        if domain not in (True, who.domain, who.domain_id):
            raise unknown(
                "domain", str(domain), [who.domain, who.domain_id], texts.say("names.of-domain", name=who.name)
            )
        return domain_scope(who)

    def url(self, service: str, path: str, region: str | None = None, identity: str | None = None) -> str:
        """The URL of a call: endpoint of the service in the region, {project_id} and {domain_id} of the identity."""
        for what, given in (("service", service), ("path", path), ("region", region or "")):
            check_text(f"hwcloud.url({what})", given)
        who, where = self.identity(identity), region or self._context.region
        base = endpoints.base_url(service, where)

        def value(match: re.Match[str]) -> str:
            if match[1] == "project_id":
                return who.project(where).id
            if match[1] == "domain_id":
                return who.domain_id
            raise ValueError(texts.say("run.not-filled", service=service, path=path, name=match[0]))

        return base + "/" + _PLACEHOLDER.sub(value, path).lstrip("/")

    def credentials(self, identity: str | None = None) -> Credentials:
        """ak, sk, security_token, project_id (of the run's region, None if there is none), domain_id, region."""
        who, region = self.identity(identity), self._context.region
        return Credentials(
            ak=who.ak,
            sk=who.sk,
            security_token=who.security_token,
            project_id=who.projects.get(region),
            domain_id=who.domain_id,
            region=region,
        )

    def client(self, client_class: type[Any], region: str | None = None, identity: str | None = None) -> Any:
        """A real client of the official SDK (extra: sdk), such as EcsClient, for the identity and region."""
        from pytest_hwcloud.run.sdk_client import build_client

        return build_client(client_class, self.identity(identity), region or self._context.region)

    def explain(self, obj: object) -> Explanation | None:
        """The explanation of a response, exception, body or code, with all that this run knows; None for a success."""
        from pytest_hwcloud.explanations.reporting import explain_in_run

        return explain_in_run(obj, self._journal, self._context.state, self._context.settings.lang)


class HwCloud(Cloud):
    """The cloud as one test sees it, with its requests and answers."""

    def __init__(self, context: RunContext, case: Case) -> None:
        super().__init__(context)
        self._case = case

    @property
    def _name(self) -> str:
        return self._case.identity

    @property
    def _journal(self) -> Journal:
        return self._case.journal

    def _asked_for(self, who: Identity, scope: Scope) -> Scope:
        other = self._case.other_scope
        return other(who, scope) if other is not None else scope

    def token(
        self,
        project: str | None = None,
        domain: str | bool | None = None,
        *,
        identity: str | None = None,
        fresh: bool = False,
    ) -> Token:
        """As in Cloud.token; the proof of scopes knows that this test was given it."""
        token = super().token(project, domain, identity=identity, fresh=fresh)
        self._case.tokens.add(token.value)
        return token

    @property
    def exchanges(self) -> list[Exchange]:
        """The requests and answers of this test, in order."""
        return list(self._case.journal.exchanges)

    def refused(self, code: str | None = None, *, gate: str | None = None) -> AbstractContextManager[Refusal]:
        """Like pytest.raises: a call in the block must be refused with this code, at this gate."""
        from pytest_hwcloud.run.expectations import Refused

        for name, given in (("code", code), ("gate", gate)):
            if given is not None:
                check_text(f"hwcloud.refused({name})", given)
        return Refused(self.explain, self._case.journal, code, gate)

    def assert_ok(self, response: Any) -> Any:
        """The response itself if it is a success; else the test fails with the explanation."""
        __tracebackhide__ = True
        from pytest_hwcloud.run.expectations import assert_ok

        return assert_ok(self.explain, response)

    def assert_called(self, what: str, times: int | None = None) -> None:
        """A call was made (so many times): an action, or "GET ecs /v1/{project_id}/cloudservers/detail"."""
        __tracebackhide__ = True
        from pytest_hwcloud.run.expectations import assert_called

        assert_called(self.exchanges, what, times)

    @contextmanager
    def deny(self, *actions: str) -> Iterator[None]:
        """Refuse these actions inside the block, whatever the policy allows (replay only)."""
        self._replay_only("deny", actions)
        with self._context.state.deny(actions):
            yield

    @contextmanager
    def grant(self, *actions: str) -> Iterator[None]:
        """Allow these actions inside the block; tokens issued before keep their old rights (replay only)."""
        self._replay_only("grant", actions)
        with self._context.state.grant(actions):
            yield

    def _replay_only(self, what: str, actions: tuple[str, ...]) -> None:
        from pytest_hwcloud.run.markers import check_actions

        if self._context.settings.mode != "replay":
            mode = self._context.settings.mode
            pytest.fail(texts.say("run.replay-only", what=what, mode=mode), pytrace=False)
        if not actions:
            raise ValueError(texts.say("run.no-action", what=what))
        check_actions(f"hwcloud.{what}", actions)
