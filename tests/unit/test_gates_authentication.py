"""Who is calling? The gateway's refusals, literally."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from xml.etree import ElementTree

import pytest
from clock import NOW, Clock

from pytest_hwcloud.cloud.identity import Identity, default_identity
from pytest_hwcloud.cloud.signing.algorithms import sign
from pytest_hwcloud.cloud.tokens import domain_scope, project_scope
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.gates.authentication import Caller, access_key, authenticate
from pytest_hwcloud.gates.cloud_state import CloudState

ME = default_identity()
ECS = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail"
PROJECTS = "https://iam.myhuaweicloud.com/v3/projects?name=cn-north-4"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> CloudState:
    return CloudState({"default": ME}, region="cn-north-4", clock=clock)


def request(headers: Mapping[str, str], url: str = ECS, method: str = "GET", body: bytes = b"") -> Request:
    return Request(method, url, {name.lower(): value for name, value in headers.items()}, body)


def signed(
    url: str = PROJECTS,
    ak: str = ME.ak,
    sk: str = ME.sk,
    at: datetime = NOW,
    algorithm: str = "SDK-HMAC-SHA256",
    **extra: str,
) -> Request:
    given = {"X-Sdk-Date": at.strftime("%Y%m%dT%H%M%SZ"), **extra}
    return request(
        {
            **given,
            **sign("GET", url, given, b"", ak=ak, sk=sk, algorithm=algorithm, region="cn-north-4", service="iam"),
        },
        url,
    )


def refused(caller: Caller) -> str:
    """The text of a gateway's refusal, everything else of which is checked here."""
    answer = caller.refusal
    assert answer is not None
    body = answer.json()
    assert isinstance(body, dict)
    assert answer.status == 401
    assert answer.reason == "Unauthorized"
    assert list(body) == ["error_msg", "error_code", "request_id"]
    assert re.fullmatch("[0-9a-f]{32}", body["request_id"])
    assert dict(answer.headers) == {
        "Content-Type": "application/json",
        "Server": "api-gateway",
        "X-Request-Id": body["request_id"],
    }
    assert body["error_code"] == ("APIGW.0307" if "updated" in body["error_msg"] else "APIGW.0301")
    return str(body["error_msg"]).removeprefix("Incorrect IAM authentication information: ")


def test_no_credentials(state: CloudState) -> None:
    caller = authenticate(request({"Accept": "*/*"}), state)
    assert refused(caller) == "x-auth-token not found"
    assert (caller.credential, caller.identity) == ("none", None)


def test_each_refusal_has_a_request_id_of_its_own(state: CloudState) -> None:
    answers = [authenticate(request({}), state).refusal for _ in range(2)]
    assert all(isinstance(answer, Answer) for answer in answers)
    assert len({answer.header("x-request-id") for answer in answers if answer}) == 2


@pytest.mark.parametrize("authorization", ["", "Basic Y2ktcmVhZGVyOnNlY3JldA=="])
def test_an_empty_header_and_what_netrc_adds_are_no_credentials(state: CloudState, authorization: str) -> None:
    caller = authenticate(request({"X-Auth-Token": "", "Authorization": authorization}), state)
    assert refused(caller) == "x-auth-token not found"


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("POST", "https://iam.myhuaweicloud.com/v3/auth/tokens?nocatalog=true"),
        ("POST", "https://iam.cn-north-4.myhuaweicloud.com/v3/auth/tokens"),
        ("POST", "https://iam.cn-north-4.myhuaweicloud.com/v3.0/OS-AUTH/id-token/tokens"),
        ("POST", "https://sts.cn-north-4.myhuaweicloud.com/v5/agencies/assume-with-oidc"),
        ("GET", "https://iam.myhuaweicloud.com/"),
        ("GET", "https://iam.myhuaweicloud.com"),
        ("GET", "https://iam.myhuaweicloud.com/v3"),
        ("GET", "https://ecs.cn-north-4.myhuaweicloud.com/v2.1/"),
        ("GET", "https://my-bucket.obs.cn-north-4.myhuaweicloud.com/public.txt"),
        ("GET", "https://support.huaweicloud.com/api-ecs/"),
    ],
)
def test_calls_that_need_no_credentials(state: CloudState, method: str, url: str) -> None:
    assert authenticate(request({}, url, method), state) == Caller(credential="none")


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "https://iam.myhuaweicloud.com/v3/auth/tokens"),
        ("GET", PROJECTS),
        ("POST", "https://iam.myhuaweicloud.com/v3/projects"),
        ("GET", "https://ecs.cn-north-4.myhuaweicloud.com/v1/"[:-1] + "x"),
        ("GET", "https://brandnew.cn-north-4.myhuaweicloud.com/v1/things"),
        ("POST", "https://ecs.cn-north-4.myhuaweicloud.com/v3/auth/tokens"),
    ],
)
def test_calls_that_need_them(state: CloudState, method: str, url: str) -> None:
    assert refused(authenticate(request({}, url, method), state)) == "x-auth-token not found"


def test_a_known_token(state: CloudState) -> None:
    token = state.issue(ME, project_scope(ME, "cn-north-4"))
    caller = authenticate(request({"X-Auth-Token": token.value}), state)
    assert caller == Caller(credential="token", identity=ME, token=token)


def test_an_outdated_token(state: CloudState, clock: Clock) -> None:
    token = state.issue(ME, domain_scope(ME))
    clock.now += timedelta(hours=24)
    caller = authenticate(request({"X-Auth-Token": token.value}), state)
    assert refused(caller) == "The token must be updated"
    assert (caller.identity, caller.token) == (ME, token)


def test_a_token_that_was_taken_back(state: CloudState) -> None:
    token = state.issue(ME, domain_scope(ME))
    state.revoke(token.value)
    assert refused(authenticate(request({"X-Auth-Token": token.value}), state)) == "The token must be updated"


@pytest.mark.parametrize(
    ("headers", "credential"),
    [
        ({"X-Auth-Token": "MIIX"}, "token"),
        ({"Authorization": "SDK-HMAC-SHA256 Access=AKOFYOURS, SignedHeaders=x-sdk-date, Signature=0"}, "aksk"),
        ({"Authorization": "V11-HMAC-SHA256 Credential=A/20210902/globe/x, SignedHeaders=h, Signature=0"}, "aksk"),
        ({"Authorization": "OBS AKOFYOURS:c2lnbmF0dXJl"}, "aksk"),
        ({"Authorization": "Bearer eyJh"}, "none"),
        ({"X-Apig-AppCode": "code"}, "none"),
    ],
)
def test_what_belongs_to_nobody_passes_unverified(state: CloudState, headers: dict[str, str], credential: str) -> None:
    assert authenticate(request(headers), state) == Caller(credential=credential, notes=("unverified",))


@pytest.mark.parametrize("algorithm", ["SDK-HMAC-SHA256", "SDK-HMAC-SM3", "V11-HMAC-SHA256"])
def test_a_right_signature(state: CloudState, algorithm: str) -> None:
    caller = authenticate(signed(algorithm=algorithm), state)
    assert caller == Caller(credential="aksk", identity=ME)


def test_a_wrong_secret_key_is_answered_with_the_gateways_canonical_request(state: CloudState) -> None:
    caller = authenticate(signed(sk="wrong"), state)
    # The guide's own text, chapter 3.
    assert refused(caller) == (
        "verify aksk signature fail, canonicalRequest:GET|/v3/projects/|name=cn-north-4|host:iam.myhuaweicloud.com|"
        "x-sdk-date:20210902T011700Z||host;x-sdk-date|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    assert (caller.credential, caller.identity) == ("aksk", ME)


def test_a_signature_of_another_time(state: CloudState) -> None:
    late = authenticate(signed(at=NOW - timedelta(minutes=15, seconds=1)), state)
    early = authenticate(signed(at=NOW + timedelta(minutes=15, seconds=1)), state)
    head = "calc aksk signature fail:signature expired, signature time:"
    assert refused(late) == f"{head}20210902T010159Z,server time:20210902T011700Z"
    assert refused(early) == f"{head}20210902T013201Z,server time:20210902T011700Z"
    assert authenticate(signed(at=NOW - timedelta(minutes=14, seconds=59)), state).refusal is None


def test_more_than_five_failures_lock_the_key_for_right_signatures_too(state: CloudState, clock: Clock) -> None:
    for _ in range(6):
        assert refused(authenticate(signed(sk="wrong"), state)).startswith("verify aksk signature fail")
    assert refused(authenticate(signed(), state)) == "AK access failed to reach the limit,forbidden."
    clock.now += timedelta(minutes=5)
    assert authenticate(signed(at=clock.now), state).refusal is None


@pytest.mark.parametrize("authorization", ["SDK-HMAC-SHA256 ", "SDK-HMAC-SHA256 Signature=00", "SDK-HMAC-SHA256 ,,="])
def test_a_signature_that_cannot_be_read(state: CloudState, authorization: str) -> None:
    assert refused(authenticate(request({"Authorization": authorization}), state)) == "Unauthorized"


def test_a_signature_of_ours_without_its_parts(state: CloudState) -> None:
    cut = request({"Authorization": f"SDK-HMAC-SHA256 Access={ME.ak}", "X-Sdk-Date": "20210902T011700Z"})
    assert refused(authenticate(cut, state)) == "Unauthorized"


def test_the_scoped_form_of_older_clients_is_checked_too(state: CloudState) -> None:
    """As gophertelekomcloud makes it: the keys of a chain, the scope in the string to sign."""
    date, scope, names = "20210902T011700Z", "20210902//ec2/sdk_request", "host;x-sdk-date"
    head = f"host:ecs.cn-north-4.myhuaweicloud.com\nx-sdk-date:{date}"
    path = ECS.partition(".com")[2]
    canonical = f"GET\n{path}/\n\n{head}\n\n{names}\n{hashlib.sha256(b'').hexdigest()}"
    text = f"SDK-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"SDK" + ME.sk.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")

    def ask(signature: str) -> Caller:
        claim = f"SDK-HMAC-SHA256 Credential={ME.ak}/{scope}, SignedHeaders={names}, Signature={signature}"
        return authenticate(request({"Authorization": claim, "X-Sdk-Date": date}), state)

    assert ask(hmac.digest(key, text.encode(), "sha256").hex()) == Caller(credential="aksk", identity=ME)
    assert refused(ask("00")).startswith("verify aksk signature fail")


OBS = "https://bucket.obs.cn-north-4.myhuaweicloud.com/key?acl"


def at_obs(authorization: str, date: str = "Thu, 02 Sep 2021 01:17:00 GMT", url: str = OBS) -> Request:
    return request({"Authorization": authorization, "Date": date}, url)


def obs_signature(sk: str = ME.sk, date: str = "Thu, 02 Sep 2021 01:17:00 GMT") -> str:
    text = f"GET\n\n\n{date}\n/bucket/key?acl"
    return f"OBS {ME.ak}:{base64.b64encode(hmac.digest(sk.encode(), text.encode(), 'sha1')).decode()}"


def test_a_right_signature_at_obs_is_somebody(state: CloudState) -> None:
    assert authenticate(at_obs(obs_signature()), state) == Caller(credential="aksk", identity=ME)


@pytest.mark.parametrize(
    ("ask", "code", "message"),
    [
        (
            lambda: at_obs(obs_signature("another")),
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
        ),
        (
            lambda: at_obs(obs_signature(date="Thu, 02 Sep 2021 01:33:00 GMT"), "Thu, 02 Sep 2021 01:33:00 GMT"),
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        (
            lambda: request({"Authorization": obs_signature()}, OBS),
            "AccessDenied",
            "AWS authentication requires a valid Date or x-amz-date header",
        ),
        (
            lambda: request({}, f"{OBS}&AccessKeyId={ME.ak}&Expires=1600000000&Signature=abc"),
            "AccessDenied",
            "Request has expired",
        ),
        (
            lambda: request({}, f"{OBS}&AccessKeyId={ME.ak}&Expires=1700000000&Signature=abc"),
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. "
            "Check your key and signing method.",
        ),
    ],
)
def test_obs_refuses_in_its_own_words(state: CloudState, ask: Callable[[], Request], code: str, message: str) -> None:
    caller = authenticate(ask(), state)
    assert caller.identity == ME
    assert caller.refusal is not None
    assert (caller.refusal.status, caller.refusal.gate) == (403, "authentication")
    error = ElementTree.fromstring(caller.refusal.body)
    assert error.tag == "Error"
    assert [error.findtext(name) for name in ("Code", "Message")] == [code, message]
    assert error.findtext("RequestId") == caller.refusal.header("x-obs-request-id") == caller.refusal.request_id


def test_a_temporary_key_without_its_token_is_unknown_to_obs(state: CloudState) -> None:
    key = state.issue_key(ME, timedelta(hours=1))
    refusal = authenticate(at_obs(obs_signature().replace(ME.ak, key.ak)), state).refusal
    assert refusal is not None
    assert (refusal.status, refusal.code) == (403, "InvalidAccessKeyId")


def forged(**changes: object) -> Request:
    """A right call with one thing changed after it was signed."""
    body = b'{"a": 1}'
    headers = {"Content-Type": "application/json", "X-Sdk-Date": NOW.strftime("%Y%m%dT%H%M%SZ")}
    made = sign("POST", ECS, headers, body, ak=ME.ak, sk=ME.sk)
    made.pop("Host", None)
    right = request({**headers, **made}, ECS, "POST", body)
    found: dict[str, object] = {
        "method": right.method,
        "url": right.url,
        "headers": dict(right.headers),
        "body": right.body,
    }
    for name, change in changes.items():
        found[name] = change(found[name]) if callable(change) else change
    return Request(**found)  # type: ignore[arg-type]


def test_the_call_that_is_forged_below_is_right(state: CloudState) -> None:
    assert authenticate(forged(), state).refusal is None


def _authorization(old: str, new: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {**headers, "authorization": headers["authorization"].replace(old, new)}


OLD_HASH = hashlib.sha256(b'{"a": 1}').hexdigest()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"body": b'{"a": 2}'}, "verify aksk signature fail"),
        (
            {"body": b'{"a": 2}', "headers": lambda h: {**h, "x-sdk-content-sha256": OLD_HASH}},
            "verify aksk signature fail",
        ),
        (
            {"body": b'{"a": 2}', "headers": lambda h: {**h, "x-sdk-content-sha256": "UNSIGNED-PAYLOAD"}},
            "verify aksk signature fail",
        ),
        ({"method": "DELETE"}, "verify aksk signature fail"),
        ({"url": ECS + "?limit=1"}, "verify aksk signature fail"),
        ({"headers": _authorization("SDK-HMAC-SHA256", "sdk-hmac-sha256")}, "Unauthorized"),
        ({"headers": _authorization("SDK-HMAC-SHA256", "Sdk-Hmac-Sha256")}, "Unauthorized"),
        ({"headers": _authorization("SDK-HMAC-SHA256", "HMAC-SHA256")}, "Unauthorized"),
        ({"headers": _authorization("SDK-HMAC-SHA256", "SDK-HMAC-SHA512")}, "Unauthorized"),
        ({"headers": _authorization("Access=", "access=")}, "Unauthorized"),
        ({"headers": lambda h: {**h, "authorization": f"{h['authorization']}, {h['authorization']}"}}, "Unauthorized"),
        ({"headers": lambda h: {**h, "host": "vpc.cn-north-4.myhuaweicloud.com"}}, "Unauthorized"),
        ({"headers": lambda h: {**h, "host": "ecs.cn-north-4.myhuaweicloud.com:8443"}}, "Unauthorized"),
        ({"headers": lambda h: {**h, "x-auth-token": "hwctest-token-made-up"}}, "decrypt token fail"),
    ],
)
def test_a_forged_call_is_refused(state: CloudState, change: dict[str, object], text: str) -> None:
    assert refused(authenticate(forged(**change), state)).startswith(text)


@pytest.mark.parametrize("host", ["ecs.cn-north-4.myhuaweicloud.com", "ECS.cn-north-4.myhuaweicloud.com:443"])
def test_the_host_of_the_url_may_be_said(state: CloudState, host: str) -> None:
    assert authenticate(forged(headers=lambda h: {**h, "host": host}), state).identity == ME


def test_a_token_is_found_whatever_blanks_surround_it_and_in_no_other_letters(state: CloudState) -> None:
    token = state.issue(ME, domain_scope(ME))
    assert authenticate(request({"X-Auth-Token": f" {token.value} "}), state).token == token
    assert refused(authenticate(request({"X-Auth-Token": token.value.upper()}), state)) == "decrypt token fail"


def test_of_two_credentials_the_token_counts(state: CloudState) -> None:
    token = state.issue(ME, domain_scope(ME))
    both = signed(sk="wrong")
    headers = {**both.headers, "x-auth-token": token.value}
    assert authenticate(Request("GET", PROJECTS, headers), state).token is token


def test_a_temporary_key_needs_its_security_token_and_its_time(state: CloudState, clock: Clock) -> None:
    key = state.issue_key(ME, timedelta(minutes=15))
    assert key.token is not None

    def ask(**extra: str) -> Caller:
        return authenticate(signed(ak=key.ak, sk=key.sk, at=clock.now, **extra), state)

    assert ask(**{"X-Security-Token": key.token}) == Caller(credential="aksk", identity=ME)
    assert refused(ask()) == f"ak {key.ak} not exist"
    assert refused(ask(**{"X-Security-Token": "other"})) == f"ak {key.ak} not exist"
    clock.now += timedelta(minutes=15)
    assert refused(ask(**{"X-Security-Token": key.token})) == f"ak {key.ak} not exist"


def test_a_name_in_another_writing_system_is_signed_and_checked(state: CloudState) -> None:
    assert (
        authenticate(signed("https://iam.myhuaweicloud.com/v3/projects?name=%E5%8C%97%E4%BA%AC"), state).identity == ME
    )


@pytest.mark.parametrize(
    ("authorization", "ak"),
    [
        ("SDK-HMAC-SHA256 Access=AK1, SignedHeaders=h, Signature=0", "AK1"),
        ("SDK-HMAC-SHA256 Access=<your AK>, SignedHeaders=h, Signature=0", "<your AK>"),
        ("SDK-HMAC-SHA256 Credential=AK1/20150907//ec2/sdk_request, SignedHeaders=h", "AK1"),
        ("OBS AK1:c2ln", "AK1"),
        ("AWS AK1:c2ln", "AK1"),
        ("SDK-HMAC-SHA256 Signature=0", None),
        ("Bearer a:b", None),
        ("", None),
    ],
)
def test_the_access_key_in_a_header(authorization: str, ak: str | None) -> None:
    assert access_key(authorization) == ak


def test_no_refusal_tells_a_secret(state: CloudState) -> None:
    answer = authenticate(signed(sk="wrong"), state).refusal
    assert answer is not None
    assert ME.sk not in json.dumps([answer.body.decode(), dict(answer.headers)])


def test_identities_of_other_names_are_told_apart(clock: Clock) -> None:
    auditor = Identity(name="auditor", ak="AK2", sk="SK2")
    state = CloudState({"default": ME, "auditor": auditor}, region="cn-north-4", clock=clock)
    assert authenticate(signed(ak="AK2", sk="SK2"), state).identity is auditor
    assert refused(authenticate(signed(ak="AK2", sk=ME.sk), state)).startswith("verify aksk signature fail")
