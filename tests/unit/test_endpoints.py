"""Hosts to services and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_hwcloud.cloud.endpoints import (
    Endpoint,
    base_url,
    derived_service,
    is_cloud_host,
    locate,
    regions,
    service_scope,
    services,
)
from pytest_hwcloud.cloud.identity import UnknownName

ROOT = Path(__file__).parents[2]
REGIONAL, GLOBAL, UNKNOWN = "regional", "global", "unknown"


@pytest.mark.parametrize(
    ("host", "service", "region", "scope"),
    [
        ("ecs.cn-north-4.myhuaweicloud.com", "ecs", "cn-north-4", REGIONAL),
        ("https://ECS.cn-north-4.myhuaweicloud.com:443/v1/p/cloudservers?x=1", "ecs", "cn-north-4", REGIONAL),
        ("ecs.cn-north-4.myhuaweicloud.com.", "ecs", "cn-north-4", REGIONAL),
        ("iam.myhuaweicloud.com", "iam", None, GLOBAL),
        ("iam.cn-north-4.myhuaweicloud.com", "iam", "cn-north-4", GLOBAL),
        ("tms.myhuaweicloud.com", "tms", None, GLOBAL),
        ("tms-intl.myhuaweicloud.com", "tms", None, GLOBAL),
        ("tms.myhuaweicloud.cn", "tms", None, GLOBAL),
        ("cts.cn-north-4.myhuaweicloud.cn", "cts", "cn-north-4", REGIONAL),
        ("vpc.cn-north-4.myhuaweicloud.com", "vpc", "cn-north-4", REGIONAL),
        ("kms.cn-north-4.myhuaweicloud.com", "kms", "cn-north-4", REGIONAL),
        ("eip.myhuaweicloud.com", "geip", None, GLOBAL),
        ("sfs-turbo.cn-north-4.myhuaweicloud.com", "sfsturbo", "cn-north-4", REGIONAL),
        ("swr-api.cn-north-4.myhuaweicloud.com", "swr", "cn-north-4", REGIONAL),
        ("dms.cn-north-4.myhuaweicloud.com", "dms", "cn-north-4", REGIONAL),
        ("esa.cn-north-4.myhuaweicloud.com", "edgesec", "cn-north-4", GLOBAL),
        ("as.ap-southeast-1.myhwclouds.com", "as", "ap-southeast-1", REGIONAL),
        ("ecs.eu-de.otc.t-systems.com", "ecs", "eu-de", REGIONAL),
        ("ecs.cn-north-99.myhuaweicloud.com", "ecs", "cn-north-99", REGIONAL),
        ("coc-eu-west-101-open-api.myhuaweicloud.eu", "coc", None, GLOBAL),
        ("nonsense.cn-north-4.myhuaweicloud.com", None, "cn-north-4", UNKNOWN),
        ("a.b.c.myhuaweicloud.com", None, None, UNKNOWN),
        ("myhuaweicloud.com", None, None, UNKNOWN),
        ("example.com", None, None, UNKNOWN),
        ("127.0.0.1:8080", None, None, UNKNOWN),
        ("", None, None, UNKNOWN),
    ],
)
def test_locate(host: str, service: str | None, region: str | None, scope: str) -> None:
    assert locate(host) == Endpoint(service, region, scope)


@pytest.mark.parametrize(
    ("host", "region", "bucket"),
    [
        ("logs.obs.cn-north-4.myhuaweicloud.com", "cn-north-4", "logs"),
        ("https://my.dotted.bucket.obs.cn-north-4.myhuaweicloud.com/key", "cn-north-4", "my.dotted.bucket"),
        ("site.obs-website.cn-north-4.myhuaweicloud.com", "cn-north-4", "site"),
        ("logs.obs.myhuaweicloud.com", None, "logs"),
        ("logs.obs.eu-de.otc.t-systems.com", "eu-de", "logs"),
        ("obs.cn-north-4.myhuaweicloud.com", "cn-north-4", None),
        ("obs.myhuaweicloud.com", None, None),
    ],
)
def test_hosts_of_obs(host: str, region: str | None, bucket: str | None) -> None:
    assert locate(host) == Endpoint("obs", region, REGIONAL, bucket)


def test_every_endpoint_is_located_with_its_scope_and_region() -> None:
    for service in services():
        for region in regions(service):
            place = locate(base_url(service, region))
            assert place.service is not None
            assert place.scope == service_scope(service), (service, region)
            assert place.region in (region, None) or place.region in base_url(service, region), (service, region)


def test_overrides_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate("http://127.0.0.1:9001").service is None
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_ECS_CN_NORTH_4", "http://127.0.0.1:9001, http://127.0.0.1:9002")
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_TMS_CN_NORTH_4", "http://127.0.0.1:9002")
    monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", "http://127.0.0.1:9003/")
    assert locate("http://127.0.0.1:9001/v1") == Endpoint("ecs", "cn-north-4", REGIONAL)
    assert locate("http://127.0.0.1:9002").service is None  # two services answer there
    assert locate("127.0.0.1:9003") == Endpoint("iam", None, GLOBAL)
    assert base_url("ecs", "cn-north-4") == "http://127.0.0.1:9001"
    assert base_url("iam", "cn-north-4") == "http://127.0.0.1:9003"
    assert base_url("ecs", "cn-north-1") == "https://ecs.cn-north-1.myhuaweicloud.com"
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION_ECS_CN_NORTH_4", "ecs.internal.example.com")
    assert base_url("ecs", "cn-north-4") == "https://ecs.internal.example.com"
    assert locate("127.0.0.1:9001").service is None


@pytest.mark.parametrize(
    ("service", "region", "url"),
    [
        ("ecs", "cn-north-4", "https://ecs.cn-north-4.myhuaweicloud.com"),
        ("ECS", "cn-north-4", "https://ecs.cn-north-4.myhuaweicloud.com"),
        ("dms", "cn-north-4", "https://dms.cn-north-4.myhuaweicloud.com"),
        ("iam", "cn-north-4", "https://iam.cn-north-4.myhuaweicloud.com"),
        ("tms", "cn-north-4", "https://tms.myhuaweicloud.com"),
        ("tms", "cn-north-1", "https://tms.myhuaweicloud.com"),
        ("tms", "ap-southeast-3", "https://tms-intl.myhuaweicloud.com"),
        ("tms", "eu-west-0", "https://tms.eu-west-101.myhuaweicloud.eu"),
        ("tms", "la-south-2", "https://tms.myhuaweicloud.com"),
    ],
)
def test_base_url(service: str, region: str, url: str) -> None:
    assert base_url(service, region) == url


def test_unknown_service_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        base_url("sfs-turbo", "cn-north-4")
    assert str(caught.value) == "unknown service 'sfs-turbo'; did you mean 'sfsturbo'?"


def test_unknown_region_names_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        base_url("ecs", "cn-nort-4")
    assert str(caught.value) == "unknown region 'cn-nort-4'; did you mean 'cn-north-4'? (regions of service 'ecs')"


@pytest.mark.parametrize(
    ("host", "cloud"),
    [
        ("ecs.cn-north-4.myhuaweicloud.com", True),
        ("ECS.CN-NORTH-4.MyHuaweiCloud.com:443", True),
        ("a.myhuaweicloud.cn", True),
        ("a.myhuaweicloud.eu", True),
        ("a.myhwclouds.com", True),
        ("www.huaweicloud.com", True),
        ("huaweicloud.com", True),
        ("a.hwclouds.com", True),
        ("iam.eu-de.otc.t-systems.com", True),
        ("iam.eu-de.otc.t-systems.com.", True),
        ("notmyhuaweicloud.com", False),
        ("myhuaweicloud.com.evil.example", False),
        ("127.0.0.1:80", False),
        ("", False),
    ],
)
def test_is_cloud_host(host: str, cloud: bool) -> None:
    assert is_cloud_host(host) is cloud


def test_is_cloud_host_by_globs() -> None:
    globs = ("*.cloud.example.com", "127.0.0.1:8*")
    assert is_cloud_host("ecs.cloud.example.com", globs)
    assert is_cloud_host("127.0.0.1:8080", globs)
    assert not is_cloud_host("127.0.0.1:9090", globs)


def test_derived_service() -> None:
    assert derived_service("iotda") == "iotdm"
    assert derived_service("ecs") == "ecs"


def test_facts_are_whole() -> None:
    facts = json.loads((ROOT / "pytest_hwcloud" / "cloud" / "facts" / "endpoints.json").read_bytes())
    pairs = [
        (name, region)
        for name, (_, urls, _) in facts["services"].items()
        for r in urls.values()
        for region in r.split()
    ]
    assert len(facts["services"]) == 190
    assert len(pairs) == len(set(pairs)) == 2571
    assert sum(scope == GLOBAL for scope, _, _ in facts["services"].values()) == 28


@pytest.mark.parametrize(
    ("url", "service", "region", "bucket"),
    [
        ("https://ecs.eu-de.otc.t-systems.com/v1/p/cloudservers", "ecs", "eu-de", None),
        ("https://premium-waf.eu-de.otc.t-systems.com/v1/p/waf/policy", "waf", "eu-de", None),
        ("https://iam-pub.eu-ch2.sc.otc.t-systems.com/v3/projects", "iam", "eu-ch2", None),
        ("https://box.obs.eu-nl.otc.t-systems.com/key", "obs", "eu-nl", "box"),
        ("https://box.obs.eu-ch2.sc.otc.t-systems.com/key", "obs", "eu-ch2", "box"),
        ("https://vpc.eu-west-0.prod-cloud-ocb.orange-business.com/v1/p/vpcs", "vpc", "eu-west-0", None),
        ("https://dcs.eu-west-0.prod-cloud-ocb.orange-business.com/v2/p/instances", "dcs", "eu-west-0", None),
        ("https://box.oss.eu-west-0.prod-cloud-ocb.orange-business.com/key", "obs", "eu-west-0", "box"),
    ],
)
def test_hosts_of_partner_clouds(url: str, service: str, region: str, bucket: str | None) -> None:
    found = locate(url)
    assert (found.service, found.region, found.bucket) == (service, region, bucket)
    assert found.scope == service_scope(service)
    assert is_cloud_host(url.split("/")[2])


def test_endpoints_of_partner_clouds() -> None:
    assert base_url("ecs", "eu-de") == "https://ecs.eu-de.otc.t-systems.com"
    assert base_url("iam", "eu-ch2") == "https://iam-pub.eu-ch2.sc.otc.t-systems.com"
    assert base_url("tms", "eu-nl") == "https://tms.eu-nl.otc.t-systems.com"
    assert base_url("iam", "eu-west-0") == "https://iam.eu-west-0.myhuaweicloud.com"
    for service in services():  # never to another cloud: what a partner has no endpoint for is an error
        for region in ("eu-de", "eu-nl", "eu-ch2"):
            try:
                url = base_url(service, region)
            except UnknownName:
                continue
            assert url.endswith("t-systems.com"), url
    with pytest.raises(UnknownName, match="unknown region 'eu-de'"):
        base_url("eps", "eu-de")
    for region in ("cn-north-4", "ap-southeast-1", "eu-west-101"):
        assert "t-systems" not in base_url("tms", region) + base_url("config", region) + base_url("iam", region)
