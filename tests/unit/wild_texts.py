"""Texts as users paste them, with invented names and ids: what was printed, and what is to be read from it.

A row: name, text, and for each failure in it (code, gate, status, message, request id, method and URL).
"""

# ruff: noqa: E501
from __future__ import annotations

ID = "9f0c2b7d4e6a4f31b8d25c7e1a904d13"
URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/0aa1bb2cc3dd4ee5ff60718293a4b5c6/cloudservers/detail"
DENIED = "Policy doesn't allow ecs:cloudServers:list to be performed."
WRONG = "Incorrect IAM authentication information: verify aksk signature fail"
Told = tuple[str | None, str, int | None, str, str | None, str | None]
Row = tuple[str, str, list[Told]]

TEXTS: list[Row] = [
    ("Java block", f"""Exception in thread "main" ClientRequestException {{
    httpStatusCode: 403
    errorCode: Ecs.0110
    errorMsg: {DENIED}
    requestId: {ID}
    encodedAuthorizationMessage: null
}}
    at com.example.App.main(App.java:12)""", [("Ecs.0110", "authorization", 403, DENIED, ID, None)]),
    ("Java toString", f"com.huaweicloud.sdk.core.exception.ClientRequestException: ClientRequestException{{httpStatusCode=401, requestId='{ID}', errorCode='APIGW.0301', errorMsg='{WRONG}', encodedAuthorizationMessage='null'}}\n\tat com.huaweicloud.sdk.core.HcClient.syncInvoke(HcClient.java:90)", [("APIGW.0301", "authentication", 401, WRONG, ID, None)]),
    ("Java message last", f"ServerResponseException: requestId={ID}, httpStatusCode=500, errorCode=Ecs.0000, errorMsg=system error\n\tat com.example.App.run(App.java:3)", [("Ecs.0000", "service", 500, "system error", ID, None)]),
    ("Node object", f"""ClientRequestException [Error]: refused
    at /srv/app/node_modules/sdk/HcClient.js:1:2 {{
  httpStatusCode: 403,
  requestId: '{ID}',
  errorCode: 'Ecs.0110',
  errorMsg: "{DENIED}"
}}""", [("Ecs.0110", "authorization", 403, DENIED, ID, None)]),
    (".NET", f"HuaweiCloud.SDK.Core.ClientRequestException: HttpStatusCode: 404, ErrorCode: Ecs.0114, ErrorMsg: Instance[x] could not be found., RequestId: {ID}\n   at HuaweiCloud.SDK.Core.Client.Run()", [("Ecs.0114", "service", 404, "Instance[x] could not be found.", ID, None)]),
    ("Go SDK", f'{{"status_code":403,"request_id":"{ID}","error_code":"Ecs.0110","error_message":"{DENIED}","encoded_authorization_message":""}}', [("Ecs.0110", "authorization", 403, DENIED, ID, None)]),
    ("Go obs", f"obs: service returned error: Status=403 Forbidden, Code=AccessDenied, Message=Access Denied, RequestId={ID}, HostId=abcDEF12", [("AccessDenied", "authorization", 403, "Access Denied", ID, None)]),
    ("Go obs in a log", f"2026/03/04 05:06:07 put object: obs: service returned error: Status=404 Not Found, Code=NoSuchBucket, Message=The specified bucket does not exist, RequestId={ID}\n2026/03/04 05:06:08 exit", [("NoSuchBucket", "service", 404, "The specified bucket does not exist", ID, None)]),
    ("obsutil", f"Upload failed, cost [12], status [403], error code [SignatureDoesNotMatch], error message [The request signature we calculated does not match], request id [{ID}]", [("SignatureDoesNotMatch", "authentication", 403, "The request signature we calculated does not match", ID, None)]),
    ("Terraform provider", f"Error: error creating server: Action forbidden: [POST {URL}], request_id: {ID}, error message: {{\"error\":{{\"code\":\"Ecs.0110\",\"message\":\"{DENIED}\"}}}}", [("Ecs.0110", "authorization", 403, DENIED, ID, f"POST {URL}")]),
    ("Terraform box", f"""╷
│ Error: error retrieving VPC: Bad request with: [GET https://vpc.cn-north-4.myhuaweicloud.com/v1/0aa1/vpcs], request_id: {ID}, error message: {{"code":"VPC.0007","message":"urlTenantId is not equal tokenTenantId"}}
│
│   with huaweicloud_vpc.main,
│   on main.tf line 3, in resource "huaweicloud_vpc" "main":
╵""", [("VPC.0007", "scope", 400, "urlTenantId is not equal tokenTenantId", ID, "GET https://vpc.cn-north-4.myhuaweicloud.com/v1/0aa1/vpcs")]),
    ("gophercloud", f'Expected HTTP response code [200 203] when accessing [GET {URL}], but got 403 instead: {{"error":{{"code":"Ecs.0110","message":"{DENIED}"}}}}', [("Ecs.0110", "authorization", 403, DENIED, None, f"GET {URL}")]),
    ("OTC provider", "Error: Error creating OpenTelekomCloud VPC: VPC.0007,\n Reason: urlTenantId is not equal tokenTenantId", [("VPC.0007", "scope", None, "urlTenantId is not equal tokenTenantId", None, None)]),
    ("openstacksdk", f"openstack.exceptions.ForbiddenException: ForbiddenException: 403: Client Error for url: {URL}, {DENIED}", [(None, "authorization", 403, DENIED, None, URL)]),
    ("keystoneauth", "The request you have made requires authentication. (HTTP 401) (Request-ID: req-1f2e3d4c-aaaa-bbbb-cccc-0123456789ab)", [(None, "authentication", 401, "The request you have made requires authentication.", "req-1f2e3d4c-aaaa-bbbb-cccc-0123456789ab", None)]),
    ("botocore", "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the ListBuckets operation: Access Denied", [("AccessDenied", "authorization", None, "Access Denied", None, None)]),
    ("botocore HEAD", "botocore.exceptions.ClientError: An error occurred (403) when calling the HeadObject operation: Forbidden", [(None, "service", 403, "", None, None)]),
    ("aiohttp", f"aiohttp.client_exceptions.ClientResponseError: 403, message='Forbidden', url='{URL}'", [(None, "service", 403, "", None, URL)]),
    ("urllib", "urllib.error.HTTPError: HTTP Error 401: Unauthorized", [(None, "authentication", 401, "", None, None)]),
    ("curl -i", f'HTTP/1.1 403 Forbidden\r\nServer: api-gateway\r\nX-Request-Id: {ID}\r\nContent-Type: application/json\r\n\r\n{{"error":{{"message":"{DENIED}","code":"Ecs.0110"}}}}', [("Ecs.0110", "authorization", 403, DENIED, ID, None)]),
    ("curl -v", f'> GET /v1/x HTTP/1.1\n> Host: ecs.cn-north-4.myhuaweicloud.com\n>\n< HTTP/1.1 401 Unauthorized\n< X-Request-Id: {ID}\n<\n{{"error_msg":"{WRONG}","error_code":"APIGW.0301","request_id":"{ID}"}}', [("APIGW.0301", "authentication", 401, WRONG, ID, "GET https://ecs.cn-north-4.myhuaweicloud.com/v1/x")]),
    ("JSON log", f'{{"level":"error","ts":1.5,"msg":"call failed: {{\\"error_code\\":\\"APIGW.0301\\",\\"error_msg\\":\\"{WRONG}\\",\\"request_id\\":\\"{ID}\\"}}"}}', [("APIGW.0301", "authentication", None, WRONG, ID, None)]),
    ("JSON log of a JSON log", f'{{"log":"{{\\"msg\\":\\"{{\\\\\\"error_code\\\\\\":\\\\\\"Ecs.0110\\\\\\",\\\\\\"error_msg\\\\\\":\\\\\\"{DENIED}\\\\\\"}}\\"}}\\n","stream":"stderr"}}', [("Ecs.0110", "authorization", None, DENIED, None, None)]),
    ("container log", f'2026-03-04T05:06:07.123456789Z stderr F {{"error_code":"APIGW.0301","error_msg":"{WRONG}","request_id":"{ID}"}}', [("APIGW.0301", "authentication", None, WRONG, ID, None)]),
    ("compose log", f'worker-1  | {{"error_code":"APIGW.0301","error_msg":"{WRONG}","request_id":"{ID}"}}', [("APIGW.0301", "authentication", None, WRONG, ID, None)]),
    ("bytes", f"AssertionError: b'{{\"error_code\":\"APIGW.0301\",\"error_msg\":\"{WRONG}\",\"request_id\":\"{ID}\"}}'", [("APIGW.0301", "authentication", None, WRONG, ID, None)]),
    ("bytes with escapes", 'b"{\\"error\\":{\\"message\\":\\"Policy doesn\'t allow vpc:vpcs:list to be performed.\\",\\"code\\":\\"VPC.0010\\"}}\\n"', [("VPC.0010", "authorization", None, "Policy doesn't allow vpc:vpcs:list to be performed.", None, None)]),
    ("colours", f'\x1b[31mERROR\x1b[0m {{"error_code":"\x1b[1mAPIGW.0301\x1b[0m","error_msg":"{WRONG}"}}', [("APIGW.0301", "authentication", None, WRONG, None, None)]),
    ("wrapped", f'{{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication \ninformation: decrypt token \nfail","request_id":"{ID}"}}', [("APIGW.0301", "authentication", None, "Incorrect IAM authentication information: decrypt token fail", ID, None)]),
    ("rich box", "╭─ Error ───────────────────────────────╮\n│ {\"error_code\": \"APIGW.0301\",          │\n│ \"error_msg\": \"Incorrect IAM           │\n│ authentication information: x\"}       │\n╰───────────────────────────────────────╯", [("APIGW.0301", "authentication", None, "Incorrect IAM authentication information: x", None, None)]),
    ("KooCLI", f'{{\n  "error_msg": "{WRONG}",\n  "error_code": "APIGW.0301",\n  "request_id": "{ID}"\n}}', [("APIGW.0301", "authentication", None, WRONG, ID, None)]),
    ("Chinese labels", f"调用失败：状态码：403，错误码：Ecs.0110，错误信息：{DENIED}，请求ID：{ID}", [("Ecs.0110", "authorization", 403, DENIED, ID, None)]),
    ("Chinese around", f'查询云服务器失败，响应：{{"error":{{"message":"{DENIED}","code":"Ecs.0110"}}}}，请联系管理员', [("Ecs.0110", "authorization", None, DENIED, None, None)]),
    ("Python SDK", f"huaweicloudsdkcore.exceptions.exceptions.ClientRequestException: ClientRequestException - {{status_code:403,request_id:{ID},error_code:Ecs.0110,error_msg:{DENIED},encoded_authorization_message:None}}", [("Ecs.0110", "authorization", 403, DENIED, ID, None)]),
    ("PHP", f"PHP Fatal error:  Uncaught HuaweiCloud\\SDK\\Core\\Exceptions\\ClientRequestException: error_code: Ecs.0110, error_msg: {DENIED}, request_id: {ID} in /srv/a.php:3", [("Ecs.0110", "authorization", None, DENIED, ID, None)]),
    ("XML", f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><RequestId>{ID}</RequestId></Error>', [("NoSuchKey", "service", None, "The specified key does not exist.", ID, None)]),
    ("two failures", f'first: {{"error_code":"APIGW.0301","error_msg":"{WRONG}"}}\nsecond: {{"error":{{"code":"Ecs.0110","message":"{DENIED}"}}}}', [("APIGW.0301", "authentication", None, WRONG, None, None), ("Ecs.0110", "authorization", None, DENIED, None, None)]),
    ("Go DNS", 'Get "https://ecs.cn-north-9.myhuaweicloud.com/v1": dial tcp: lookup ecs.cn-north-9.myhuaweicloud.com on 10.0.0.2:53: no such host', [(None, "network", None, 'Get "https://ecs.cn-north-9.myhuaweicloud.com/v1": dial tcp: lookup ecs.cn-north-9.myhuaweicloud.com on 10.0.0.2:53: no such host', None, None)]),
    ("Go x509", 'Get "https://ecs.cn-north-4.myhuaweicloud.com": x509: certificate signed by unknown authority', [(None, "network", None, 'Get "https://ecs.cn-north-4.myhuaweicloud.com": x509: certificate signed by unknown authority', None, None)]),
    ("Go TLS timeout", 'Post "https://iam.myhuaweicloud.com/v3/auth/tokens": net/http: TLS handshake timeout', [(None, "network", None, 'Post "https://iam.myhuaweicloud.com/v3/auth/tokens": net/http: TLS handshake timeout', None, None)]),
    ("Go i/o timeout", "dial tcp 100.125.4.25:443: i/o timeout", [(None, "network", None, "dial tcp 100.125.4.25:443: i/o timeout", None, None)]),
    ("Node DNS", "Error: getaddrinfo ENOTFOUND ecs.cn-north-44.myhuaweicloud.com", [(None, "network", None, "Error: getaddrinfo ENOTFOUND ecs.cn-north-44.myhuaweicloud.com", None, None)]),
    ("Java DNS", "java.net.UnknownHostException: ecs.cn-north-44.myhuaweicloud.com", [(None, "network", None, "java.net.UnknownHostException: ecs.cn-north-44.myhuaweicloud.com", None, None)]),
    ("Java PKIX", "javax.net.ssl.SSLHandshakeException: PKIX path building failed", [(None, "network", None, "javax.net.ssl.SSLHandshakeException: PKIX path building failed", None, None)]),
    ("curl DNS", "curl: (6) Could not resolve host: ecs.cn-north-44.myhuaweicloud.com", [(None, "network", None, "curl: (6) Could not resolve host: ecs.cn-north-44.myhuaweicloud.com", None, None)]),
    ("message decides", '{"error_code":"VPC.0010","error_msg":"X-Auth-Token is invalid in the request"}', [("VPC.0010", "authentication", None, "X-Auth-Token is invalid in the request", None, None)]),
    ("AccessDenied for its date", "<Error><Code>AccessDenied</Code><Message>AWS authentication requires a valid Date or x-amz-date header</Message></Error>", [("AccessDenied", "authentication", None, "AWS authentication requires a valid Date or x-amz-date header", None, None)]),
    ("bare message", "decrypt token fail", [("APIGW.0301", "authentication", 401, "decrypt token fail", None, None)]),
    ("innocent log", "2026-03-04 05:06:07 INFO status: ok, code: 200, message: 12 servers listed", []),
    ("innocent JSON", '{"code": "A-17", "message": "hello", "items": [1, 2]}', []),
    ("innocent trace", 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nKeyError: \'servers\'', []),
    ("Java in a log, other order", f"2026-03-04 05:06:07.123 ERROR [main] App - failed\nServiceResponseException {{ requestId: {ID}, errorMsg: Quota exceeded for resources: instances, errorCode: Ecs.0013, httpStatusCode: 403 }}", [("Ecs.0013", "service", 403, "Quota exceeded for resources: instances", ID, None)]),
    ("Terraform wrapped in its box", f"╷\n│ Error: error creating VPC: Action forbidden: [POST\n│ https://vpc.cn-north-4.myhuaweicloud.com/v1/0aa1/vpcs], request_id:\n│ {ID}, error message:\n│ {{\"code\":\"VPC.0010\",\"message\":\"{DENIED}\"}}\n│\n│   with huaweicloud_vpc.a,\n╵", [("VPC.0010", "authorization", 403, DENIED, ID, "POST https://vpc.cn-north-4.myhuaweicloud.com/v1/0aa1/vpcs")]),
    ("Terraform authentication", f"Error: Authentication failed: [GET https://iam.cn-north-4.myhuaweicloud.com/v3/projects], request_id: {ID}, error message: {{\"error_msg\":\"{WRONG}\",\"error_code\":\"APIGW.0301\",\"request_id\":\"{ID}\"}}", [("APIGW.0301", "authentication", 401, WRONG, ID, "GET https://iam.cn-north-4.myhuaweicloud.com/v3/projects")]),
    ("obsutil with a file", f"Error: [/b/a.txt], cost [33], status [404], error code [NoSuchBucket], error message [The specified bucket does not exist], request id [{ID}]", [("NoSuchBucket", "service", 404, "The specified bucket does not exist", ID, None)]),
    ("Go panic", f"panic: obs: service returned error: Status=403 Forbidden, Code=InvalidAccessKeyId, Message=The OBS Access Key Id you provided does not exist in our records., RequestId={ID}\n\ngoroutine 1 [running]:\nmain.main()", [("InvalidAccessKeyId", "authentication", 403, "The OBS Access Key Id you provided does not exist in our records.", ID, None)]),
    ("botocore after retries", "ClientError: An error occurred (SlowDown) when calling the PutObject operation (reached max retries: 4): Please reduce your request rate.", [("SlowDown", "service", None, "Please reduce your request rate.", None, None)]),
    ("openstacksdk with a body", f'ForbiddenException: 403: Client Error for url: {URL}, {{"error":{{"code":"Ecs.0110","message":"{DENIED}"}}}}', [("Ecs.0110", "authorization", 403, DENIED, None, URL)]),
    ("keystoneauth with its class", "keystoneauth1.exceptions.http.Forbidden: You are not authorized to perform the requested action: identity:list_projects. (HTTP 403) (Request-ID: req-1f2e3d4c-aaaa-bbbb-cccc-0123456789ab)", [(None, "authorization", 403, "You are not authorized to perform the requested action: identity:list_projects.", "req-1f2e3d4c-aaaa-bbbb-cccc-0123456789ab", None)]),
    ("openstack client", "Policy doesn't allow os_compute_api:servers:index to be performed. (HTTP 403) (Request-ID: req-1f2e3d4c-aaaa-bbbb-cccc-0123456789ab)", [(None, "authorization", 403, "Policy doesn't allow os_compute_api:servers:index to be performed.", "req-1f2e3d4c-aaaa-bbbb-cccc-0123456789ab", None)]),
    ("logfmt", f'level=error msg="call failed" status_code=403 error_code=Ecs.0110 error_msg="{DENIED}" request_id={ID}', [("Ecs.0110", "authorization", 403, DENIED, ID, None)]),
    ("event of Kubernetes", f'Warning  SyncLoadBalancerFailed  3m  service-controller  Error syncing load balancer: failed to ensure: {{"error_msg":"Quota exceeded","error_code":"ELB.8905","request_id":"{ID}"}}', [("ELB.8905", "service", None, "Quota exceeded", ID, None)]),
    ("throttled, escaped and indented", 'response: "{\\n  \\"error_code\\": \\"APIGW.0308\\",\\n  \\"error_msg\\": \\"The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute\\"\\n}"', [("APIGW.0308", "service", None, "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 minute", None, None)]),
    ("Chinese after the message", f"创建失败。error_code=VPC.0010 error_msg={DENIED} 请联系管理员", [("VPC.0010", "authorization", None, DENIED, None, None)]),
    ("Chinese tool", f"[USE_ERROR]请求失败：错误码：APIGW.0301；错误信息：{WRONG}；请求ID：{ID}", [("APIGW.0301", "authentication", None, WRONG, ID, None)]),
    ("one code twice", f'{{"error_code":"Ecs.0110","error_msg":"first","request_id":"{ID}"}}\n{{"error_code":"Ecs.0110","error_msg":"second","request_id":"{ID[::-1]}"}}', [("Ecs.0110", "authorization", None, "first", ID, None), ("Ecs.0110", "authorization", None, "second", ID[::-1], None)]),
    ("Node certificate", "Error: unable to verify the first certificate", [(None, "network", None, "Error: unable to verify the first certificate", None, None)]),
    (".NET certificate", "System.Net.Http.HttpRequestException: The SSL connection could not be established, see inner exception.", [(None, "network", None, "System.Net.Http.HttpRequestException: The SSL connection could not be established, see inner exception.", None, None)]),
    ("innocent pairs", "INFO all good, code=0 message=ok requestId=123456", []),
    ("innocent container", "Error: failed to start container: message: exec format error, reason: StartError, code: 128", []),
    ("innocent answer", 'GET /v1 HTTP/1.1 200 OK {"servers":[{"status":"ERROR","code":"A.1"}]}', []),
    ("innocent trace of JavaScript", "TypeError: Cannot read properties of undefined (reading 'code') message: x status: 500", []),
]  # fmt: skip

# Every body in every wrapping in which terminals and logs hand it over.
BODIES: dict[str, tuple[str, Told]] = {
    "gateway": (f'{{"error_msg":"{WRONG}","error_code":"APIGW.0301","request_id":"{ID}"}}', ("APIGW.0301", "authentication", None, WRONG, ID, None)),
    "nested": (f'{{"error":{{"message":"{DENIED}","code":"Ecs.0110"}}}}', ("Ecs.0110", "authorization", None, DENIED, None, None)),
    "flat": (f'{{"code":"VPC.0007","message":"urlTenantId is not equal tokenTenantId","request_id":"{ID}"}}', ("VPC.0007", "scope", None, "urlTenantId is not equal tokenTenantId", ID, None)),
    "SDK": (f"ClientRequestException - {{status_code:403,request_id:{ID},error_code:Ecs.0110,error_msg:{DENIED}}}", ("Ecs.0110", "authorization", 403, DENIED, ID, None)),
}  # fmt: skip
WRAPPINGS = {
    "log line": "2026-03-04 05:06:07,123 ERROR app.py:12 call failed: {}",
    "log of a container": "2026-03-04T05:06:07.123456789Z stdout F {}",
    "compose": "api_1  | {}\napi_1  | done",
    "colours": "\x1b[1m\x1b[31mE   {}\x1b[0m",
    "box": "╭──────╮\n│ {} │\n╰──────╯",
    "quotation": "'{}'",
    "Chinese": "请求失败，返回结果如下：\n{}\n请检查权限配置。",
    "fence": "```\n{}\n```",
}
