"""Writes the cassettes of the sample project: `python make_cassettes.py`, for the maintainer."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_hwcloud.cassettes.rendering import OPENING, Entry, render
from pytest_hwcloud.cloud.identity import replay_access_key
from pytest_hwcloud.cloud.wire import Answer, Request

FOLDER = Path(__file__).parent / "tests" / "cassettes"
PROJECT = "05041fffa40025702f6dc009cc6f8f33"
DOMAIN = "0503dda878000fed0f75c0096d70a960"
ECS = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{PROJECT}"
VPC = f"https://vpc.cn-north-4.myhuaweicloud.com/v1/{PROJECT}"
VPC3 = f"https://vpc.cn-north-4.myhuaweicloud.com/v3/{PROJECT}"
EVS = f"https://evs.cn-north-4.myhuaweicloud.com/v2/{PROJECT}"
TMS = "https://tms.myhuaweicloud.com/v1.0"
IAM = "https://iam.cn-north-4.myhuaweicloud.com"
MADE = datetime(2026, 11, 22, tzinfo=UTC)
REASONS = {200: "OK", 202: "Accepted", 204: "No Content", 404: "Not Found", 429: "Too Many Requests"}

NAMES = ("web-1", "web-2", "web-3", "db-1", "db-2", "jump-1", "batch-1", "batch-2")


def uid(kind: str, number: int) -> str:
    """`5e000001-016f-4405-94f9-c4d58421ec01`: an id that one can read."""
    prefix = {"server": "5e", "vpc": "0c", "subnet": "5b", "group": "56", "rule": "12", "volume": "70"}[kind]
    return f"{prefix}{number:06x}-016f-4405-94f9-c4d58421ec{number:02x}"


def server(number: int) -> dict[str, Any]:
    """One server; batch-2 is stopped."""
    name = NAMES[number - 1]
    status = "SHUTOFF" if name == "batch-2" else "ACTIVE"
    address = {"version": "4", "addr": f"192.168.0.{20 + number}", "OS-EXT-IPS:type": "fixed"}
    return {
        "id": uid("server", number),
        "name": name,
        "status": status,
        "tenant_id": PROJECT,
        "created": "2026-08-30T02:11:45Z",
        "updated": "2026-08-30T02:12:20Z",
        "flavor": {"id": "s6.large.2", "name": "s6.large.2", "vcpus": "2", "ram": "4096", "disk": "0"},
        "addresses": {uid("vpc", 1): [address]},
        "OS-EXT-AZ:availability_zone": "cn-north-4a",
        "OS-EXT-STS:vm_state": "stopped" if status == "SHUTOFF" else "active",
        "enterprise_project_id": "0",
    }


SERVERS = [server(number) for number in range(1, len(NAMES) + 1)]


def call(method: str, url: str, answer: object, status: int = 200, body: object = None, **headers: str) -> str:
    """One interaction, as it is written."""
    sent = Request(method=method, url=url, body=json.dumps(body).encode() if body else b"")
    heard = Answer(
        status=status,
        reason=REASONS[status],
        headers={"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}},
        body=json.dumps(answer).encode() if answer is not None else b"",
    )
    return render(Entry(request=sent, answer=heard, recorded_at=MADE))


def write(name: str, *items: str, repeat: bool = False) -> None:
    """One cassette."""
    file = FOLDER / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    head = "version: 1\nmetadata:\n  made: by make_cassettes.py, in the shape of the API references\n"
    head += "  repeat_last: true\n" * repeat
    file.write_text(head + OPENING + "".join(items), encoding="utf-8")


def pages(size: int) -> list[str]:
    """The list of servers, page by page."""
    starts = range(0, len(SERVERS), size)
    return [
        call(
            "GET",
            f"{ECS}/cloudservers/detail?limit={size}&offset={page}",
            {"count": len(SERVERS), "servers": SERVERS[start : start + size]},
        )
        for page, start in enumerate(starts, 1)
    ]


def every_server() -> str:
    return pages(50)[0]


def shown(number: int) -> str:
    return call("GET", f"{ECS}/cloudservers/{uid('server', number)}", {"server": server(number)})


def servers() -> None:
    flavor = {"id": "s6.large.2", "name": "s6.large.2", "vcpus": "2", "ram": 4096, "disk": "0"}
    for size in (1, 3, 8):
        write(f"test_servers/test_page_by_page[{size}]", *pages(size))
    gone = {"error": {"code": "Ecs.0114", "message": "Instance[5e0000ff] could not be found."}}
    missing = call("GET", f"{ECS}/cloudservers/{uid('server', 255)}", gone, 404)
    write("servers", every_server(), *(shown(number) for number in (1, 4, 6)), missing)
    tags = {"tags": [{"key": "stage", "value": "live"}, {"key": "owner", "value": "ada"}]}
    write("test_servers/test_owner", call("GET", f"{ECS}/cloudservers/{uid('server', 1)}/tags", tags))
    flavors = {"flavors": [flavor, {**flavor, "id": "c7.xlarge.2", "name": "c7.xlarge.2", "vcpus": "4", "ram": 8192}]}
    write("test_servers/test_flavors_or_nothing", call("GET", f"{ECS}/cloudservers/flavors", flavors))
    write("test_servers/test_count_later", pages(1)[0])
    write("test_report/test_summary", call("GET", f"{ECS}/cloudservers/detail", {"count": 8, "servers": SERVERS}))
    write(
        "test_report/test_summary_with_keys",
        call("GET", f"{ECS}/cloudservers/detail", {"count": 8, "servers": SERVERS}),
    )


def power() -> None:
    job = {"job_id": "ff808082739334d80173941ec8d30c1b"}
    for name, option in (
        ("start", {"os-start": {"servers": [{"id": uid("server", 8)}]}}),
        ("stop", {"os-stop": {"servers": [{"id": uid("server", 8)}], "type": "SOFT"}}),
        ("reboot", {"reboot": {"servers": [{"id": uid("server", 8)}], "type": "SOFT"}}),
    ):
        write(f"test_power/test_switch[{name}]", call("POST", f"{ECS}/cloudservers/action", job, body=option))
    start = {"os-start": {"servers": [{"id": uid("server", 8)}]}}
    action = call("POST", f"{ECS}/cloudservers/action", job, body=start)
    write("test_power/test_start_stopped", every_server(), action)
    tag = {"action": "create", "tags": [{"key": "owner", "value": "ada"}]}
    url = f"{ECS}/cloudservers/{uid('server', 1)}/tags/action"
    write("test_power/test_give", call("POST", url, None, 204, body=tag))


def networks() -> None:
    def vpc(number: int, name: str) -> dict[str, Any]:
        return {"id": uid("vpc", number), "name": name, "cidr": f"192.168.{number}.0/24", "status": "OK", "routes": []}

    def subnet(number: int, of: int) -> dict[str, Any]:
        return {"id": uid("subnet", number), "name": f"subnet-{number}", "vpc_id": uid("vpc", of), "status": "ACTIVE"}

    found = [vpc(1, "vpc-live"), vpc(2, "vpc-test"), vpc(3, "vpc-empty")]
    write(
        "test_networks/known",
        call("GET", f"{VPC}/vpcs", {"vpcs": found}),
        call("GET", f"{VPC}/subnets", {"subnets": [subnet(1, 1), subnet(2, 1), subnet(3, 2)]}),
    )
    for row in found[:2]:
        write(f"test_networks/test_cidr[{row['name']}]", call("GET", f"{VPC}/vpcs/{row['id']}", {"vpc": row}))
    groups = [
        {"id": uid("group", number), "name": name, "description": "", "security_group_rules": []}
        for number, name in enumerate(("sg-web", "sg-db"), 1)
    ]
    write("test_networks/test_groups", call("GET", f"{VPC}/security-groups", {"security_groups": groups}))
    rules = [
        {
            "id": uid("rule", number),
            "security_group_id": uid("group", 1),
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": "tcp",
            "multiport": port,
            "action": "allow",
            "priority": 1,
            "remote_ip_prefix": prefix,
        }
        for number, (port, prefix) in enumerate((("443", "0.0.0.0/0"), ("22", "10.0.0.0/8"), ("80", "0.0.0.0/0")), 1)
    ]
    answer = {"request_id": "5eed00000000000000000000000000a1", "security_group_rules": rules}
    write("test_networks/test_open_ports", call("GET", f"{VPC3}/vpc/security-group-rules", answer))


def volumes() -> None:
    def volume(number: int, size: int, kind: str, attached: int | None) -> dict[str, Any]:
        attachments = [{"server_id": uid("server", attached), "device": "/dev/vda"}] if attached else []
        return {
            "id": uid("volume", number),
            "name": f"volume-{number}",
            "size": size,
            "volume_type": kind,
            "status": "in-use" if attached else "available",
            "attachments": attachments,
        }

    rows = [volume(1, 40, "SSD", 1), volume(2, 100, "SAS", 4), volume(3, 500, "SAS", None), volume(4, 10, "SSD", None)]
    listed = call("GET", f"{EVS}/cloudvolumes/detail", {"count": 4, "volumes": rows})
    write("volumes", listed, *(call("GET", f"{EVS}/cloudvolumes/{row['id']}", {"volume": row}) for row in rows[:2]))
    busy = {"error_code": "APIGW.0308", "error_msg": "The throttling threshold has been reached", "request_id": "5eed"}
    write(
        "test_retries/test_asks_again",
        call("GET", f"{EVS}/cloudvolumes/detail", busy, 429, Retry_After="0"),
        call("GET", f"{EVS}/cloudvolumes/detail", {"count": 4, "volumes": rows}),
    )


def tags_and_people() -> None:
    tags = [
        {"key": key, "value": value, "update_time": "2026-04-12T14:22:34Z"}
        for key, value in (("stage", "live"), ("owner", "ada"))
    ]
    write("tags", call("GET", f"{TMS}/predefine_tags", {"marker": "2", "total_count": 2, "tags": tags}))
    resource = {
        "resource_id": uid("server", 7),
        "resource_name": "batch-1",
        "resource_type": "ecs",
        "project_id": PROJECT,
        "project_name": "cn-north-4",
        "tags": [],
    }
    body = {"resource_types": ["ecs"], "project_id": PROJECT, "without_any_tag": True}
    found = {"resources": [resource], "total_count": 1, "errors": []}
    write("test_tags/test_untagged", call("POST", f"{TMS}/resource-instances/filter", found, body=body))
    users = [
        {"id": f"{number:032x}", "name": name, "domain_id": DOMAIN, "enabled": enabled}
        for number, (name, enabled) in enumerate((("ada", True), ("bob", True), ("eve", False)), 0xA1)
    ]
    keys = [
        {
            "access": replay_access_key("default"),  # as a recording writes it
            "user_id": users[n]["id"],
            "status": status,
            "create_time": f"{year}-01-08T06:25:27Z",
        }
        for n, status, year in ((0, "active", 2020), (1, "inactive", 2020), (1, "active", 2026))
    ]
    write(
        "people",
        call("GET", f"{IAM}/v3/users", {"users": users, "links": {"self": f"{IAM}/v3/users"}}),
        call("GET", f"{IAM}/v3.0/OS-CREDENTIAL/credentials", {"credentials": keys}),
    )


def everything() -> None:
    """All cassettes."""
    for make in (servers, power, networks, volumes, tags_and_people):
        make()


if __name__ == "__main__":
    everything()
