"""Command lines and clients that people really use: openstack, boto3, the OBS SDK, Terraform, and output like Go's."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.extended
Suite = Callable[..., pytest.RunResult]

HEAD = """
import json, os, subprocess, sys
import pytest

PROJECT = "05041fffa40025702f6dc009cc6f8f33"

def start(command, gateway, **more):
    return subprocess.run(command, env={**gateway.env, **more}, capture_output=True, text=True, timeout=60)

def write(name, *rows):
    folder = os.path.join("cassettes", "test_it"); os.makedirs(folder, exist_ok=True)
    interactions = [
        {"request": {"method": method, "uri": url, "body": None, "headers": {}},
         "response": {"status": {"code": status, "message": "OK"}, "headers": {"Content-Type": [kind]}, "body": {"string": body}}}
        for method, url, status, kind, body in rows]
    with open(os.path.join(folder, name + ".yaml"), "w") as file:
        json.dump({"interactions": interactions * 3, "version": 1}, file)  # which is YAML, too
"""
OPENSTACK = (
    HEAD
    + """
NOVA, IMS = "https://ecs.cn-north-4.myhuaweicloud.com/v2.1", "https://ims.cn-north-4.myhuaweicloud.com"
VERSION = {"id": "v2.1", "status": "CURRENT", "version": "2.60", "min_version": "2.1", "links": [{"rel": "self", "href": NOVA + "/"}]}
SERVER = {"id": "0" * 36, "name": "ecs-1", "status": "ACTIVE", "addresses": {}, "image": "", "flavor": {"original_name": "s6"}}
for name in ("test_servers", "test_refused"):
    write(name,
        ("GET", NOVA + "/" + PROJECT, 200, "application/json", json.dumps({"version": VERSION})),
        ("GET", NOVA, 200, "application/json", json.dumps({"version": VERSION})),
        ("GET", IMS + "/", 200, "application/json", json.dumps({"versions": [
            {"id": "v2", "status": "CURRENT", "links": [{"rel": "self", "href": IMS + "/v2/"}]}]})),
        ("GET", NOVA + "/" + PROJECT + "/servers/detail?deleted=False", 200, "application/json", json.dumps({"servers": [SERVER]})),
        ("GET", NOVA + "/" + PROJECT + "/servers/detail", 200, "application/json", json.dumps({"servers": [SERVER]})),
        ("GET", IMS + "/v2/images", 200, "application/json", json.dumps({"images": []})),
        ("GET", NOVA + "/" + PROJECT + "/flavors/detail?is_public=None", 200, "application/json", json.dumps({"flavors": []})))

def openstack(gateway, *arguments, without=(), **more):
    env = {name: value for name, value in {**gateway.env, **more}.items() if name not in without}
    command = [sys.executable, "-m", "openstackclient.shell", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)

def test_projects_of_the_user(hwcloud, hwcloud_gateway):
    done = openstack(hwcloud_gateway, "project", "list", "--my-projects", "-f", "value")
    assert done.stdout == PROJECT + " cn-north-4\\n", done.stderr

def test_the_whole_account(hwcloud, hwcloud_gateway):
    done = openstack(hwcloud_gateway, "project", "list", "-f", "value", "-c", "Name",
        without=("OS_PROJECT_NAME", "OS_PROJECT_ID"), OS_DOMAIN_NAME=hwcloud_gateway.env["OS_USER_DOMAIN_NAME"])
    assert done.stdout == "cn-north-4\\n", done.stderr

def test_application_credential(hwcloud, hwcloud_gateway):
    keys = hwcloud.credentials()
    others = ("OS_PROJECT_NAME", "OS_PROJECT_ID", "OS_USERNAME", "OS_PASSWORD", "OS_USER_DOMAIN_NAME")
    done = openstack(hwcloud_gateway, "token", "issue", "-f", "value", "-c", "project_id", without=others,
        OS_AUTH_TYPE="v3applicationcredential", OS_APPLICATION_CREDENTIAL_ID=keys.ak, OS_APPLICATION_CREDENTIAL_SECRET=keys.sk)
    assert done.stdout == PROJECT + "\\n", done.stderr

def test_servers(hwcloud, hwcloud_gateway):
    done = openstack(hwcloud_gateway, "server", "list", "-n", "-f", "value", "-c", "Name")
    assert done.stdout == "ecs-1\\n", done.stderr

def test_refused(hwcloud, hwcloud_gateway):
    with hwcloud.deny("ecs:servers:list"):
        done = openstack(hwcloud_gateway, "server", "list", "-n", "-f", "value", "-c", "Name")
    assert "ecs-1" in done.stdout
"""
)
OBJECTS = (
    HEAD
    + """
OBS = "https://obs.cn-north-4.myhuaweicloud.com/"
BUCKETS = '<?xml version="1.0"?><ListAllMyBucketsResult><Owner><ID>x</ID></Owner><Buckets><Bucket><Name>logs</Name>'
BUCKETS += '<CreationDate>2021-09-02T01:17:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>'
for name in ("test_boto3", "test_boto3_denied", "test_obs_sdk"):
    write(name, ("HEAD", OBS + "?apiversion", 200, "text/plain", ""), ("GET", OBS, 200, "application/xml", BUCKETS))
BOTO3 = "import boto3; print(boto3.client('s3', region_name='cn-north-4').list_buckets()['Buckets'][0]['Name'])"
SDK = '''
import os
from obs import ObsClient
client = ObsClient(access_key_id=os.environ["OBS_ACCESS_KEY_ID"], secret_access_key=os.environ["OBS_SECRET_ACCESS_KEY"],
                   server="https://obs.cn-north-4.myhuaweicloud.com")
found = client.listBuckets()
print(found.status, found.body.buckets[0].name)'''

def test_boto3(hwcloud, hwcloud_gateway):
    done = start([sys.executable, "-c", BOTO3], hwcloud_gateway)
    assert done.stdout == "logs\\n", done.stderr

def test_boto3_denied(hwcloud, hwcloud_gateway):
    with hwcloud.deny("obs:bucket:ListAllMyBuckets"):
        start([sys.executable, "-c", BOTO3], hwcloud_gateway).check_returncode()

def test_boto3_with_a_wrong_secret(hwcloud, hwcloud_gateway):
    with hwcloud.refused("SignatureDoesNotMatch"):
        done = start([sys.executable, "-c", BOTO3], hwcloud_gateway, AWS_SECRET_ACCESS_KEY="x" * 40)
    assert "SignatureDoesNotMatch" in done.stderr

def test_obs_sdk(hwcloud, hwcloud_gateway):
    pytest.importorskip("obs")
    done = start([sys.executable, "-c", SDK], hwcloud_gateway)
    assert done.stdout == "200 logs\\n", done.stderr
"""
)
GO = (
    HEAD
    + """
# What the Go SDK and a program around it write: the whole answer in one line of a log, and exit status 1.
GO = '''
import http.client, os, sys
from pytest_hwcloud import sign
host, path = "ecs.cn-north-4.myhuaweicloud.com", "/v1/" + os.environ["HUAWEICLOUD_SDK_PROJECT_ID"] + "/cloudservers/detail"
headers = sign("GET", "https://" + host + path, {}, b"", ak=os.environ["HUAWEICLOUD_SDK_AK"], sk=os.environ["HUAWEICLOUD_SDK_SK"])
line = http.client.HTTPSConnection(host); line.request("GET", path, headers=headers); answer = line.getresponse()
answer.read()
print('2021/09/02 01:17:00 {"status_code":%d,"request_id":"%s","error_code":"Ecs.0110","error_message":"do not have",'
      '"encoded_authorization_message":""}' % (answer.status, answer.headers["X-Request-Id"]), file=sys.stderr)
sys.exit(1)'''

@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
class TestExplained:
    def test_status(self, hwcloud_gateway):
        assert start([sys.executable, "-c", GO], hwcloud_gateway).returncode == 0
    def test_text(self, hwcloud_gateway):
        assert "error_code" not in start([sys.executable, "-c", GO], hwcloud_gateway).stderr
    def test_request_id_alone(self, hwcloud_gateway):
        done = start([sys.executable, "-c", GO], hwcloud_gateway)
        line = "failed, see " + done.stderr.split('"request_id":"')[1][:32]
        assert line == "ok"
"""
)
TERRAFORM = (
    HEAD
    + """
CONFIG = '''
terraform {
  backend "s3" {
    bucket = "state"
    key = "x.tfstate"
    region = "cn-north-4"
    skip_region_validation = true
    skip_credentials_validation = true
    skip_requesting_account_id = true
    skip_metadata_api_check = true
    use_path_style = true
  }
}
'''

def test_backend(hwcloud, hwcloud_gateway, tmp_path):
    (tmp_path / "main.tf").write_text(CONFIG)
    hwcloud_gateway.environment()
    env = {**hwcloud_gateway.env, "AWS_ENDPOINT_URL_S3": "https://obs.cn-north-4.myhuaweicloud.com", "CHECKPOINT_DISABLE": "1"}
    done = subprocess.run(["terraform", "init", "-no-color", "-input=false"], cwd=tmp_path, env=env, capture_output=True, text=True)
    print(done.stderr)
    assert done.returncode == 0
"""
)


def check(suite: Suite, source: str, passed: int, failed: int, *more: str) -> str:
    arguments = ("-rf", "-o", "hwcloud_cassette_checks=off", "--hwcloud-permissions=off", *more)
    result = suite(source, *arguments)
    result.assert_outcomes(passed=passed, failed=failed)
    return result.stdout.str()


@pytest.mark.skipif(find_spec("openstackclient") is None, reason="python-openstackclient is not installed")
def test_openstack(suite: Suite) -> None:
    text = check(suite, OPENSTACK, 4, 1)
    assert "hwcloud: refused at authorization: Ecs." in text


@pytest.mark.skipif(find_spec("boto3") is None, reason="boto3 is not installed")
def test_object_storage(suite: Suite) -> None:
    text = check(suite, OBJECTS, 3, 1)
    assert "hwcloud: refused at authorization: AccessDenied (HTTP 403) from obs" in text


def test_output_like_that_of_the_go_sdk(suite: Suite) -> None:
    text = check(suite, GO, 0, 3)
    assert text.count("hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs") == 3


@pytest.mark.skipif(shutil.which("terraform") is None, reason="Terraform is not installed")
def test_terraform_reads_why_its_backend_was_not_answered(suite: Suite) -> None:
    text = check(suite, TERRAFORM, 0, 1)
    assert "hwcloud: no recorded answer for GET https://obs.cn-north-4.myhuaweicloud.com/state" in text
