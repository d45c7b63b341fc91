"""The call behind a failure is found whatever the statement looks like, and no innocent failure is blamed on one."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import requests
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, SdkError

from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.explanations import linking
from pytest_hwcloud.explanations.evidence import find
from pytest_hwcloud.explanations.linking import Evidence
from pytest_hwcloud.explanations.notes import leaves
from pytest_hwcloud.journal import Exchange, Journal
from pytest_hwcloud.usercode.call_site import CallSite, call_site
from pytest_hwcloud.usercode.statement import is_users, places

ECS = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/"
DENIED = {"error": {"message": "do not have the required roles, forbidden to perform this action.", "code": "Ecs.0110"}}
SERVERS = {"servers": [{"name": "a"}], "count": 1}


class Cloud:
    """A client whose calls are written into a journal: `denied…` paths are refused, `gone` does not resolve."""

    def __init__(self) -> None:
        self.journal = Journal("test")

    def get(self, path: str = "denied") -> requests.Response:
        where = _caller()
        request = Request("GET", ECS + path)
        if path == "gone":
            self.journal.add(Exchange(request=request, fault="dns", gate="network", where=where))
            raise requests.ConnectionError("Max retries exceeded") from socket.gaierror(-2, "Name or service not known")
        status, body = (403, DENIED) if path.startswith("denied") else (200, SERVERS)
        raw = json.dumps(body).encode()
        request_id = f"{len(self.journal.exchanges):032x}"
        headers = {"Content-Type": "application/json", "X-Request-Id": request_id}
        self.journal.add(Exchange(request=request, answer=Answer(status, headers, raw), where=where))
        return _response(request, status, raw, headers)

    def sdk_get(self) -> None:
        response = self.get()
        raise ClientRequestException(
            403, SdkError(response.headers["X-Request-Id"], "Ecs.0110", DENIED["error"]["message"])
        )


def _caller() -> CallSite:
    """The call site as the replay notes it, but that this file's Cloud is no library."""
    site = call_site()
    assert site is not None
    above = site.callers[1:]
    where = CallSite(above[0])
    where.callers = above[1:]
    return where


def _response(request: Request, status: int, raw: bytes, headers: dict[str, str]) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content, response.url = status, raw, request.url
    response.headers.update(headers)
    response.request = requests.Request(request.method, request.url).prepare()
    return response


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def evidence(cloud: Cloud, test: Callable[[Cloud], object]) -> Evidence | None:
    try:
        test(cloud)
    except BaseException as error:
        return find(error, cloud.journal)
    raise RuntimeError("the inner test did not fail")


def blamed(cloud: Cloud, test: Callable[[Cloud], object]) -> str | None:
    """The code that the failure is explained with; "dns" for a fault."""
    found = evidence(cloud, test)
    return (found.failure.code or found.failure.fault) if found else None


def named_status(cloud: Cloud) -> None:
    response = cloud.get()
    assert response.status_code == 200


def unnamed_status(cloud: Cloud) -> None:
    assert cloud.get().status_code == 200


def status_among(cloud: Cloud) -> None:
    response = cloud.get()
    assert response.status_code in (200, 202)


def is_ok(cloud: Cloud) -> None:
    response = cloud.get()
    assert response.ok


def is_true(cloud: Cloud) -> None:
    response = cloud.get()
    assert response


def raises_for_status(cloud: Cloud) -> None:
    cloud.get().raise_for_status()


def raises_in_a_helper(cloud: Cloud) -> None:
    def fetch() -> object:
        response = cloud.get()
        response.raise_for_status()
        return response.json()

    assert fetch() == SERVERS


def key_in_body(cloud: Cloud) -> None:
    response = cloud.get()
    assert "servers" in response.json()


def key_error(cloud: Cloud) -> None:
    print(cloud.get().json()["servers"])


def key_error_later(cloud: Cloud) -> None:
    body = cloud.get().json()
    names = [server["name"] for server in body["servers"]]
    assert names == ["a"]


def host_gone(cloud: Cloud) -> None:
    cloud.get("gone")


def sdk_exception(cloud: Cloud) -> None:
    cloud.sdk_get()


def sdk_exception_wrapped(cloud: Cloud) -> None:
    try:
        cloud.sdk_get()
    except ClientRequestException as error:
        raise RuntimeError("cannot list servers") from error


def status_kept(cloud: Cloud) -> None:
    response = cloud.get()
    status = response.status_code
    assert status == 200


def names_kept(cloud: Cloud) -> None:
    names = [server["name"] for server in cloud.get().json().get("servers", [])]
    expected = ["a"]
    assert names == expected


def checked_by_a_helper(cloud: Cloud) -> None:
    def check(ok: bool) -> None:
        assert ok

    check(cloud.get().ok)


def checked_by_a_method(cloud: Cloud) -> None:
    class Checks:
        def check(self, status: int, *, wanted: int) -> None:
            assert status == wanted

    response = cloud.get()
    Checks().check(response.status_code, wanted=200)


def in_a_list(cloud: Cloud) -> None:
    responses = [cloud.get("ok"), cloud.get()]
    assert all(response.ok for response in responses)


def picked_from_a_list(cloud: Cloud) -> None:
    responses = [cloud.get("ok"), cloud.get()]
    assert responses[1].ok


def in_a_comprehension(cloud: Cloud) -> None:
    assert [cloud.get(path).status_code for path in ("denied", "ok")] == [200, 200]


def on_an_attribute(cloud: Cloud) -> None:
    @dataclass
    class Holder:
        response: requests.Response

    holder = Holder(cloud.get())
    assert holder.response.ok


def body_compared(cloud: Cloud) -> None:
    body = cloud.get().json()
    assert body == SERVERS


def text_compared(cloud: Cloud) -> None:
    text = cloud.get().text
    assert text == "[]"


def over_lines(cloud: Cloud) -> None:
    response = cloud.get()
    assert (
        response.json()
        ["servers"]
    )  # fmt: skip


def wrong_code_expected(cloud: Cloud) -> None:
    with pytest.raises(ClientRequestException) as caught:
        cloud.sdk_get()
    assert caught.value.error_code == "Ecs.0111"


def wrong_text_expected(cloud: Cloud) -> None:
    with pytest.raises(ClientRequestException, match="no such text"):
        cloud.sdk_get()


def failed_by_hand(cloud: Cloud) -> None:
    response = cloud.get()
    if not response.ok:
        pytest.fail(f"listing failed: {response.text}")


def failed_without_words(cloud: Cloud) -> None:
    response = cloud.get()
    if not response.ok:
        pytest.fail("cannot list")


def raised_by_a_check(cloud: Cloud) -> None:
    def names(body: dict[str, list[dict[str, str]]]) -> list[str]:
        if "servers" not in body:
            raise ValueError("no servers")
        return [server["name"] for server in body["servers"]]

    assert names(cloud.get().json()) == ["a"]


def nothing_raised(cloud: Cloud) -> None:
    with pytest.raises(requests.HTTPError):
        cloud.get()


def swallowed_by_a_helper(cloud: Cloud) -> None:
    def names() -> list[str]:
        return [server["name"] for server in cloud.get().json().get("servers", [])]

    found = names()
    assert found == ["a"]


def swallowed_far_below(cloud: Cloud) -> None:
    def fetch() -> object:
        return cloud.get().json()

    def count() -> int:
        body = fetch()
        return len(body.get("servers", [])) if isinstance(body, dict) else 0

    assert count() == 8


def in_a_with_head(cloud: Cloud) -> None:
    response = cloud.get()
    with open(response.json()["path"]):
        pass


def in_a_loop_head(cloud: Cloud) -> None:
    response = cloud.get()
    for server in response.json()["servers"]:
        print(server)


def two_calls_compared(cloud: Cloud) -> None:
    assert cloud.get().status_code == cloud.get("ok").status_code


def own_record(cloud: Cloud) -> None:
    cloud.get()
    exchanges = cloud.journal.exchanges
    assert exchanges[-1].status == 200


EXPLAINED = [
    named_status, unnamed_status, status_among, is_ok, is_true, raises_for_status, raises_in_a_helper, key_in_body,
    key_error, key_error_later, sdk_exception, sdk_exception_wrapped, status_kept, names_kept, checked_by_a_helper,
    checked_by_a_method, in_a_list, picked_from_a_list, in_a_comprehension, on_an_attribute, body_compared,
    text_compared, over_lines, wrong_code_expected, wrong_text_expected, failed_by_hand, failed_without_words,
    raised_by_a_check, nothing_raised, swallowed_by_a_helper, swallowed_far_below, in_a_with_head, in_a_loop_head,
    two_calls_compared, own_record,
]  # fmt: skip


@pytest.mark.parametrize("test", EXPLAINED, ids=lambda test: test.__name__)
def test_failure_is_explained_with_the_refused_call(cloud: Cloud, test: Callable[[Cloud], object]) -> None:
    assert blamed(cloud, test) == "Ecs.0110"


def test_name_that_does_not_resolve_is_explained(cloud: Cloud) -> None:
    assert blamed(cloud, host_gone) == "dns"


def unrelated(cloud: Cloud) -> None:
    assert 1 == 2


def unrelated_after_expected_denial(cloud: Cloud) -> None:
    assert cloud.get().status_code == 403
    assert 1 == 2


def unrelated_after_expected_exception(cloud: Cloud) -> None:
    with pytest.raises(ClientRequestException):
        cloud.sdk_get()
    count = 1
    assert count == 2


def other_response(cloud: Cloud) -> None:
    denied = cloud.get()
    assert denied.status_code == 403
    answered = cloud.get("ok")
    assert answered.json()["count"] == 8


def other_element(cloud: Cloud) -> None:
    answers = {"denied": cloud.get().json(), "ok": cloud.get("ok").json()}
    assert answers["ok"]["count"] == 8


def rebound_name(cloud: Cloud) -> None:
    response = cloud.get()
    assert not response.ok
    response = cloud.get("ok")
    count = response.json()["count"]
    assert count == 8


def same_line_answered_later(cloud: Cloud) -> None:
    for path, ok in (("denied", False), ("ok", False)):
        assert cloud.get(path).ok is ok


def literal_key_error(cloud: Cloud) -> None:
    assert cloud.get().status_code == 403
    known = {"a": 1}
    print(known["b"])


def key_error_after_an_answer(cloud: Cloud) -> None:
    assert cloud.get().status_code == 403
    print(cloud.get("ok").json()["no such key"])


def expected_body_of_another_call(cloud: Cloud) -> None:
    answered = cloud.get("ok")
    assert answered.json() == {"error": {"code": "Ecs.0999", "message": "something"}}


def other_host(cloud: Cloud) -> None:
    cloud.get()
    response = _response(Request("GET", "https://api.example.com/x"), 403, b"{}", {})
    assert response.ok


def failed_on_something_else(cloud: Cloud) -> None:
    response = cloud.get()
    assert response.status_code == 403
    count = 1
    if count != 2:
        pytest.fail("wrong count")


def own_error(cloud: Cloud) -> None:
    response = cloud.get()
    assert response.status_code == 403
    raise ValueError("own")


def one_helper_for_all(cloud: Cloud) -> None:
    def get(path: str) -> requests.Response:
        return cloud.get(path)

    answered = get("ok")
    assert get("denied").status_code == 403
    assert answered.json()["count"] == 8


def second_try_answered(cloud: Cloud) -> None:
    def count() -> object:
        response = cloud.get("denied")
        return (response if response.ok else cloud.get("ok")).json()["count"]

    assert count() == 8


def own_value_error(cloud: Cloud) -> None:
    cloud.get()
    cloud.get("ok")
    raise ValueError("wrong argument")


def own_server_is_down(cloud: Cloud) -> None:
    response = cloud.get()
    pool = "HTTPConnectionPool(host='localhost', port=9): Max retries exceeded"
    raise requests.ConnectionError(pool) from ConnectionRefusedError(111, f"Connection refused: {response.json()}")


def own_server_refused(cloud: Cloud) -> None:
    response = cloud.get()
    own = _response(Request("POST", "http://localhost:9/store"), 500, response.content, {})
    own.raise_for_status()


INNOCENT = [
    unrelated, unrelated_after_expected_denial, unrelated_after_expected_exception, other_response, other_element,
    rebound_name, same_line_answered_later, literal_key_error, key_error_after_an_answer,
    expected_body_of_another_call, other_host, own_value_error, failed_on_something_else, own_error,
    one_helper_for_all, second_try_answered, own_server_is_down, own_server_refused,
]  # fmt: skip


@pytest.mark.parametrize("test", INNOCENT, ids=lambda test: test.__name__)
def test_innocent_failure_is_not_blamed(cloud: Cloud, test: Callable[[Cloud], object]) -> None:
    assert blamed(cloud, test) is None


def test_key_error_far_from_the_call_is_explained_by_order_and_says_so(cloud: Cloud) -> None:
    def list_names() -> list[str]:
        cloud.get()
        return []

    def fails(cloud: Cloud) -> None:
        list_names()
        print({}[str(id(cloud))])

    found = evidence(cloud, fails)
    assert found is not None
    assert (found.failure.code, found.after) == ("Ecs.0110", "KeyError")


def test_order_explains_no_assertion(cloud: Cloud) -> None:
    def list_names() -> list[str]:
        return [str(cloud.get().status_code)]

    def fails(cloud: Cloud) -> None:
        list_names()
        assert len(str(cloud)) == 0

    assert blamed(cloud, fails) is None


def test_expected_refusal_is_not_blamed_for_a_key_error(cloud: Cloud) -> None:
    def fails(cloud: Cloud) -> None:
        cloud.get()
        cloud.journal.expected.add(id(cloud.journal.exchanges[-1]))
        print({}[str(id(cloud))])

    assert blamed(cloud, fails) is None


def test_exception_group_gives_each_leaf_its_own_call(cloud: Cloud) -> None:
    def fails() -> None:
        errors = []
        for path in ("denied/1", "denied/2"):
            try:
                cloud.get(path).raise_for_status()
            except requests.HTTPError as error:
                errors.append(error)
        raise ExceptionGroup("two", [errors[0], ExceptionGroup("inner", [errors[1], ZeroDivisionError("own")])])

    with pytest.raises(ExceptionGroup) as caught:
        fails()
    found = [find(leaf, cloud.journal) for leaf in leaves(caught.value)]
    assert [one and one.exchange and one.exchange.url.removeprefix(ECS) for one in found] == [
        "denied/1",
        "denied/2",
        None,
    ]


def test_latest_of_equal_refusals_is_the_one(cloud: Cloud) -> None:
    cloud.get()
    response = cloud.get()
    found = linking.of_value(response, cloud.journal.refused)
    assert found is not None
    assert found.exchange is cloud.journal.exchanges[1]


def test_request_id_beats_order(cloud: Cloud) -> None:
    response = cloud.get()
    cloud.get()
    found = linking.of_value(response, cloud.journal.refused)
    assert found is not None
    assert found.exchange is cloud.journal.exchanges[0]


def test_exception_of_the_cloud_is_explained_without_a_journal() -> None:
    error = ClientRequestException(403, SdkError("1", "Ecs.0110", DENIED["error"]["message"]))
    found = find(error, None)
    assert found is not None
    assert (found.failure.code, found.exchange) == ("Ecs.0110", None)


def test_exception_of_another_host_is_none_of_ours() -> None:
    response = _response(Request("GET", "https://api.example.com/x"), 404, b"{}", {})
    with pytest.raises(requests.HTTPError) as caught:
        response.raise_for_status()
    assert find(caught.value, None) is None


@pytest.mark.parametrize(
    ("file", "users"),
    [
        ("/home/me/project/tests/test_a.py", True),
        ("/home/me/project/.venv/lib/python3.12/site-packages/requests/api.py", False),
        (socket.__file__, False),
        (linking.__file__, False),
        (linking.__file__.replace("explanations/linking.py", "tour/test_tour.py"), True),
        ("<string>", False),
    ],
)
def test_whose_code_a_file_is(file: str, users: bool) -> None:
    assert is_users(file) is users


def test_places_are_the_users_frames_innermost_first(cloud: Cloud) -> None:
    with pytest.raises(requests.HTTPError) as caught:
        raises_in_a_helper(cloud)
    names = [place.frame.f_code.co_name for place in places(caught.value)]
    assert names == ["fetch", "raises_in_a_helper", "test_places_are_the_users_frames_innermost_first"]


def test_comprehension_in_the_middle_of_a_long_file_has_a_place(cloud: Cloud) -> None:
    def fails(cloud: Cloud) -> None:
        bodies = [cloud.get().json()]
        print([body["servers"] for body in bodies])

    assert blamed(cloud, fails) == "Ecs.0110"


def test_code_without_source_is_explained_by_its_caller(cloud: Cloud) -> None:
    namespace: dict[str, Callable[[Cloud], object]] = {}
    exec(compile("def fails(cloud):\n    assert cloud.get()", "/gone/test_x.py", "exec"), namespace)
    assert blamed(cloud, namespace["fails"]) == "Ecs.0110"


def test_lines_beyond_the_end_of_the_file_are_survived(cloud: Cloud) -> None:
    namespace: dict[str, Callable[[Cloud], object]] = {}
    source = "\n" * 5000 + "def fails(cloud):\n    assert cloud.get().json()['servers']"
    exec(compile(source, __file__, "exec"), namespace)
    assert blamed(cloud, namespace["fails"]) == "Ecs.0110"
