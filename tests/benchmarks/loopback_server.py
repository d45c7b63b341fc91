"""A bounded HTTP/1.1 server on 127.0.0.1 that answers like ECS' list of server details.

Prints its port, then serves until its standard input is closed, until
--max-requests answers or --max-seconds have passed. GET .../cloudservers/detail?limit=N
gives N servers. A request without an SDK-HMAC-SHA256 Authorization gets 401 APIGW.0301.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import sys
import threading
import time

MAX_HEAD, MAX_CONNECTIONS = 64 * 1024, 32


def server(i: int) -> dict:
    """One server, with the fields of the documented example answer of ListServersDetails."""
    return {
        "id": f"{i:08x}-9a4b-4b2b-b3a5-3b6a0c9d7f11",
        "name": f"ecs-{i:04d}",
        "status": "ACTIVE",
        "tenant_id": "0605767c80d5d5762fe0c0185a2c3f34",
        "user_id": "694fb7b24c7e4e0eb3b8a1f6e6e9c2b1",
        "hostId": "c7145889b2e3202cd295ceddb1742ff8941b827b586861fd0acedf64",
        "created": "2025-11-20T09:00:00Z",
        "updated": "2025-11-21T09:00:00Z",
        "accessIPv4": "",
        "accessIPv6": "",
        "progress": 0,
        "config_drive": "",
        "key_name": "KeyPair-test",
        "host_status": "UP",
        "description": "bench",
        "locked": False,
        "flavor": {
            "disk": "0",
            "vcpus": "1",
            "ram": "1024",
            "id": "s6.small.1",
            "name": "s6.small.1",
            "asic_accelerators": [],
        },
        "image": {"id": "1189efbf-d48b-46ad-a823-94b942e2a000"},
        "addresses": {
            "0ad7b8ed-9e1f-4b0d-8f5d-3b8e8b4f6d3a": [
                {
                    "version": "4",
                    "addr": f"192.168.0.{i % 250}",
                    "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:8b:2a:11",
                    "OS-EXT-IPS:port_id": "a3c8c3f0-5a6b-4f4c-8d1a-6b8f0f4c2d11",
                    "OS-EXT-IPS:type": "fixed",
                }
            ]
        },
        "metadata": {
            "charging_mode": "0",
            "metering.order_id": "",
            "metering.product_id": "",
            "vpc_id": "3dda7d4b-aec0-4838-a91a-28ab1fd30542",
            "EcmResStatus": "",
            "metering.image_id": "1189efbf-d48b-46ad-a823-94b942e2a000",
            "metering.imagetype": "gold",
            "metering.resourcespeccode": "s6.small.1.linux",
            "image_name": "Ubuntu 22.04 server 64bit",
            "os_bit": "64",
            "lockCheckEndpoint": "42324",
            "metering.resourcetype": "1",
            "os_type": "Linux",
        },
        "os-extended-volumes:volumes_attached": [
            {
                "device": "/dev/vda",
                "bootIndex": "0",
                "id": "2bec206b-08e4-4f3b-8f4f-2c9c8f4f0a11",
                "delete_on_termination": "true",
            }
        ],
        "security_groups": [{"name": "default", "id": "7a8f2f11-5b3e-4e64-8b5e-1f2d3c4b5a69"}],
        "tags": ["env=bench", f"number={i}"],
        "sys_tags": [],
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:power_state": 1,
        "OS-EXT-STS:vm_state": "active",
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": "ap-southeast-1a",
        "OS-EXT-SRV-ATTR:host": "pod01.ap-southeast-1a",
        "OS-EXT-SRV-ATTR:instance_name": "instance-0000a1b2",
        "OS-EXT-SRV-ATTR:hypervisor_hostname": "nova001@27",
        "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
        "OS-EXT-SRV-ATTR:hostname": f"ecs-{i:04d}",
        "OS-EXT-SRV-ATTR:launch_index": 0,
        "OS-SRV-USG:launched_at": "2025-11-20T09:01:00.000000",
        "OS-SRV-USG:terminated_at": None,
        "enterprise_project_id": "0",
    }


def detail(n: int) -> bytes:
    return json.dumps({"count": n, "servers": [server(i) for i in range(n)], "request_id": "a" * 32}).encode()


def answer(status: str, body: bytes) -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nDate: Fri, 21 Nov 2025 10:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Connection: keep-alive\r\nServer: api-gateway\r\nX-Request-Id: {'b' * 32}\r\n\r\n"
    ).encode() + body


class Server:
    def __init__(self, max_requests: int, max_seconds: float) -> None:
        self.left, self.deadline = max_requests, time.monotonic() + max_seconds
        self.cache: dict[int, bytes] = {}
        self.slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=MAX_CONNECTIONS)

    def respond(self, head: bytes) -> bytes:
        if b"\r\nauthorization: sdk-hmac-sha256 access=" not in head.lower():
            return answer(
                "401 Unauthorized",
                b'{"error_msg":"Incorrect IAM authentication information","error_code":"APIGW.0301","request_id":"%s"}'
                % (b"c" * 32),
            )
        m = re.match(rb"GET /v1/[^/ ]+/cloudservers/detail(?:\?[^ ]*?limit=(\d{1,3}))?", head)
        if not m:
            return answer(
                "404 Not Found",
                b'{"error_msg":"The API does not exist or has not been published in the environment","error_code":"APIGW.0101","request_id":"%s"}'
                % (b"c" * 32),
            )
        n = min(100, int(m[1] or 1))
        if n not in self.cache:
            self.cache[n] = answer("200 OK", detail(n))
        return self.cache[n]

    def serve(self, conn: socket.socket) -> None:
        try:
            with conn:
                conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                conn.settimeout(30)
                pending = b""
                while self.left > 0 and time.monotonic() < self.deadline:
                    while b"\r\n\r\n" not in pending:
                        if len(pending) > MAX_HEAD:
                            return
                        got = conn.recv(65536)
                        if not got:
                            return
                        pending += got
                    head, _, pending = pending.partition(b"\r\n\r\n")
                    self.left -= 1
                    conn.sendall(self.respond(head))
        except OSError:
            pass
        finally:
            self.slots.release()

    def run(self) -> None:
        self.sock.settimeout(1.0)
        while self.left > 0 and time.monotonic() < self.deadline:
            try:
                conn, _ = self.sock.accept()
            except TimeoutError:
                continue
            if self.slots.acquire(blocking=False):
                threading.Thread(target=self.serve, args=(conn,), daemon=True).start()
            else:
                conn.close()


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--max-requests", type=int, default=1_000_000)
    ap.add_argument("--max-seconds", type=float, default=600)
    args = ap.parse_args()
    s = Server(args.max_requests, args.max_seconds)

    def watch() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    print(s.sock.getsockname()[1], flush=True)
    s.run()


if __name__ == "__main__":
    main()
