"""The catalogue: complete, compared without case, variants by message, loaded by family, made from the facts."""

# ruff: noqa: E501 - literal messages stay in one piece

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_hwcloud.cloud.failures import codes

IAM = "Incorrect IAM authentication information: "


def test_there_are_all_codes():
    assert len(codes.all_codes()) >= 1498
    assert len(set(codes.all_codes())) == len(codes.all_codes())


def test_every_code_is_found_in_its_family():
    for name in codes.all_codes():
        family, code = name.split("/", 1)
        found = codes.entry(code.upper(), family=family)
        assert found is not None
        assert found.code == code
        if family not in ("keystone", "client-network"):
            assert codes.entry(code.swapcase()) is not None, code


@pytest.mark.parametrize(
    ("code", "message", "status", "kind"),
    [
        ("APIGW.0301", f"{IAM}x-auth-token not found", 401, "credential-missing"),
        ("APIGW.0301", f"{IAM}decrypt token\n fail", 401, "token-invalid"),
        ("APIGW.0301", f"{IAM}ak X not exist", 401, "credential-not-found"),
        ("APIGW.0301", f"{IAM}Get secretKey failed,ak:***,err:ak not exist", 401, "credential-not-found"),
        ("APIGW.0301", f"{IAM}verify aksk signature fail", 401, "signature"),
        ("APIGW.0301", f"{IAM}verify aksk signature fail, canonicalRequest:GET|/", 401, "signature"),
        ("APIGW.0301", f"{IAM}AK access failed to reach the limit,forbidden.", 401, "credential-locked"),
        ("APIGW.0301", f"{IAM}calc aksk signature fail:signature expired, signature time:1,server time:2", 401, "clock-skew"),
        ("APIGW.0301", f"{IAM}Unauthorized", 401, "authentication"),
        ("APIGW.0301", f"{IAM}something new", 401, "authentication"),
        ("APIGW.0201", None, 504, "timeout"),
        ("APIGW.0201", "Request headers too large.", None, "invalid-parameter"),
        ("APIGW.0201", None, None, "mixed"),
        ("PAP5.0001", "User: u is not authorized to perform: a:b:c on resource: r with an explicit deny in the x policy.", 403,
         "permission-denied"),
    ],
)  # fmt: skip
def test_variants(code, message, status, kind):
    found = codes.entry(code, message, status)
    assert found is not None
    assert found.kind == kind


def test_variants_have_keys_of_their_own():
    missing = codes.entry("APIGW.0301", f"{IAM}x-auth-token not found")
    assert missing is not None
    assert missing.key == "APIGW.0301#0"


@pytest.mark.parametrize("code", ["Ecs.9999", "", "hello", "401", "429", "1.2", "."])
def test_unknown_codes(code):
    assert codes.entry(code) is None


def test_integer_codes_belong_to_keystone_only():
    found = codes.entry("401", family="keystone")
    assert found is not None
    assert found.gate == "authentication"
    classic = codes.entry("1101")
    assert classic is not None
    assert classic.family == "iam"


@pytest.mark.parametrize(
    ("kind", "layer", "gate"),
    [
        ("signature", "gateway", "authentication"),
        ("token-expired", "service", "authentication"),
        ("scope-mismatch", "authorization", "scope"),
        ("permission-denied", "gateway", "authorization"),
        ("account-restricted", "authorization", "service"),
        ("throttling", "gateway", "service"),
        ("timeout", "gateway", "service"),
        ("timeout", "client-network", "network"),
        ("dns", "client-network", "network"),
        ("quota", "service", "service"),
    ],
)
def test_gates(kind, layer, gate):
    assert codes.gate_of(kind, layer) == gate


@pytest.mark.parametrize(
    ("code", "service"),
    [("Ecs.0110", "ecs"), ("IMG.0026", "ims"), ("PAP5.0001", "iam"), ("Common.0018", None), ("APIGW.0301", None),
     ("NoSuchKey", "obs"), ("SVCSTG.SWR.4039002", "swr")],
)  # fmt: skip
def test_services(code, service):
    assert codes.service_of(code) == service


def test_only_the_family_that_is_needed_is_read():
    script = (
        "from pytest_hwcloud.cloud.failures import codes\n"
        "assert codes.rows.cache_info().currsize == 0\n"
        "codes.entry('Ecs.0110'); codes.entry('Ecs.0001')\n"
        "assert codes.rows.cache_info().currsize == 1, codes.rows.cache_info()\n"
        "import sys; assert 'yaml' not in sys.modules and 'requests' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
