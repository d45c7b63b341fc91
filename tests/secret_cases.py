"""Data of the tests on secrets: kinds in their notations, clean forms, worst cases. Every value is made up."""

# ruff: noqa: E501 - a form a line
from __future__ import annotations

import base64
import json
import random
import string
from functools import cache

SECRET = S = "Zk7!pQw9xT2m"
TOKEN = T = "a8Fh3kLq9ZxV2bN7mW4r"
HOOK = UUID = "3f2b8c1d-9a4e-4c6b-8f7d-1e2a3b4c5d6e"
CASES: dict[str, str] = {
    **{
        f"json {n}": json.dumps({"x": 1, n: S})
        for n in [
            "user_pwd",
            "db_root_pwd",
            "full_trans_user_pwd",
            "rootPwd",
            "admin_pass",
            "DB_PASS",
            "app_sk",
            "tracing_sk",
            "access_code",
            "app_code",
            "invite_token",
            "import_token",
            "service_token",
            "signing_token",
            "api_token",
            "private_key_plain_text",
            "secret_value",
            "platform_credential",
            "keytab",
            "signature_key",
            "OS-EXT-SRV-ATTR:user_data",
            "OS-KSADM:password",
        ]
    },
    "list": json.dumps({"passwords": [S, S + "b"]}),
    "map": json.dumps({"passwords": {"root": S}}),
    "docker": json.dumps(
        {"auths": {"swr.cn-north-4.myhuaweicloud.com": {"auth": base64.b64encode(b"u:" + S.encode()).decode()}}}
    ),
    "ini": f"password = {S}\nuser = x\n",
    "ini2": f'[db]\npassword = "{S}"\n',
    "toml": f"password = '{S}'\n",
    "yamlitem": f"users:\n  - password: {S}\n    name: x\n",
    "prop": f'<property name="password" value="{S}"/>',
    "cli": f"run --password {S} --x",
    "cli=": f"run --password={S} --x",
    "curl": f"curl -u user:{S} https://x/y",
    "curl2": f"curl -s --user 'user:{S}' https://x/y",
    "chpasswd": f"echo 'root:{S}' | chpasswd",
    "chpasswd2": f"#!/bin/bash\necho root:{S} | sudo chpasswd\n",
    "requirepass": f"port 1\nrequirepass {S}\n",
    "sql": f"CREATE USER a IDENTIFIED BY '{S}'",
    "sql2": f"ALTER USER a WITH PASSWORD '{S}';",
    "sent": f"The password is: {S}",
    "sent2": f"your new password is {S}.",
    "sent3": f"The password {S} is too weak",
    "sent4": f"Invalid value '{S}' for password '{S}'",
    "redis": f"redis://:{S}@host:6379/0",
    "tokurl": f"https://{T}@github.com/x.git",
    "libpq": f"host=x password='{S}' user=y",
    "libpq2": f"host=x password={S} user=y",
    "query in text": f"see https://h/p?token={T}&x=1 ok",
    "url=": f"url=https://h/p?X-Security-Token={T}",
    "hook1": f"https://open.feishu.cn/open-apis/bot/v2/hook/{UUID}",
    "hook2": f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={UUID}",
    "slack": f"https://hooks.slack.com/services/T00000000/B00000000/{T}",
    "json hook": json.dumps({"url": f"https://open.feishu.cn/open-apis/bot/v2/hook/{UUID}"}),
    "nested": f'secret_string={{"u": "{S}"}}',
    "b64url": base64.b64encode(f"https://h/p?token={T}".encode()).decode(),
    "xml": f"<r><Password>{S}</Password></r>",
    "xml ns": f'<ns:Pwd a="1">{S}</ns:Pwd>',
    "esc": json.dumps(json.dumps({"password": S})),
    "repr": repr({"password": S}),
    "html": f"&quot;password&quot;: &quot;{S}&quot;",
    "header": f"X-Auth-Token: {T}\nHost: x",
    "H": f"curl -H 'X-Auth-Token: {T}' https://x",
    "export": f"export OS_PASSWORD={S}",
    "env": f"OS_PASSWORD={S} openstack server list",
    "dotenv": f"A=1\nDB_PASS={S}\nB=2",
    "jdbc": f"jdbc:mysql://h/db?user=a&password={S}",
    "odbc": f"Server=h;Uid=a;Pwd={S};",
    "odbc2": f"Driver=x;PWD={{{S}}};",
    "csv": f"User Name,Access Key Id,Secret Access Key\nfoo,HABCDEFGH1JKLMNOPQRS,{T}\n",
    "k8s": f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  conf: {S}\n",
    "netrc": f"machine h login u password {S}",
    "yaml block": f"password: |\n  {S}\nx: 1\n",
    "yaml list": f"passwords:\n  - {S}\n  - other{S}\nx: 1\n",
    "zh": f"密码：{S}",
    "zh2": f"您的密码是 {S}",
    "mysql": f"mysql -uroot -p{S} db",
    "sshpass": f"sshpass -p {S} ssh x",
    "multipart": f'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{S}\r\n--b--\r\n',
    "form": f"a=1&user%5Bpassword%5D={S}&b=2",
    "form2": f"username=a&password={S}",
    "argv": json.dumps(["mysql", "--password", S]),
    "argv2": f"['mysql', '--password', '{S}']",
    "pair": json.dumps({"name": "DB_PASS", "value": S}),
    "pair2": json.dumps({"value": S, "key": "password"}),
    "pairx": f"<Key>password</Key><Value>{S}</Value>",
    "hcl": f'  password = "{S}"\n',
    "hcl2": f'variable "password" {{\n default = "{S}"\n}}',
    "go": f"{{Password:{S} User:x}}",
    "kv colon": f"user:x, password:{S}, z:1",
    "arrow": f"password => '{S}'",
    "url path tok": f"https://h/p;token={T}/x",
    "fragment": f"https://h/#access_token={T}&x=1",
    "pgpass": f"h:5432:db:user:{S}\n",
    "jwt": "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvbGdhIn0.dozjgNryP4J3jVmNHl0w5N",
    "u0022": f"\\u0022password\\u0022:\\u0022{S}\\u0022",
    "tokens": json.dumps({"tokens": {"a": T}}),
    "wrapped": base64.encodebytes(f"#!/bin/bash\n# {'x' * 60}\necho 'root:{S}' | chpasswd\n".encode()).decode(),
    "json text": json.dumps({"log": f"password = {S}"}),
    "utf16 b64": base64.b64encode(f"password={S}".encode("utf-16-le")).decode(),
}


ACCESS_KEY = A = "HABCDEFGHIJKLMNOPQRS"  # twenty capitals without a digit: one only under its name
LETTERS = H = "Qz4vRk8wLp3Nd"
CASES |= {
    "headers obj": json.dumps({"headers": {"X-Auth-Token": T}}),
    "har": json.dumps({"headers": [{"name": "X-Auth-Token", "value": T}]}),
    "har2": json.dumps({"headers": [{"name": "X-Auth-Token", "values": [T]}]}),
    "env list": json.dumps({"env": ["DB_PASS=" + S, "A=b"]}),
    "env map": json.dumps({"environment": {"DB_PASS": S}}),
    "oracle": f"jdbc:oracle:thin:scott/{H}@h:1521/x",
    "azure": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={T}==;EndpointSuffix=x",
    "otp": f"otpauth://totp/x?secret={T}&issuer=y",
    "attr": f'<user name="a" password="{S}"/>',
    "add": f'<add key="Password" value="{S}"/>',
    "wsse": f'<wsse:Password Type="http://x#PasswordText">{S}</wsse:Password>',
    "js": "{password: '" + S + "'}",
    "js2": '{ password: "' + S + '", a: 1}',
    "php": f"$password = '{S}';",
    "define": f"define('DB_PASSWORD', '{S}');",
    "setprop": f'props.setProperty("db.password", "{S}");',
    "put": f"map.put('token', '{T}')",
    "props": f"spring.datasource.password={S}\nx=1",
    "log[]": f"user=a password=[{H}] ok",
    "log<>": f"password=<{H}>",
    "paren": f"User(password={H}, name=y)",
    "go": f'&User{{Password:"{S}", Name:"x"}}',
    "rust": f'password: Some("{S}")',
    "py": f"SecretStr('{S}') password=SecretStr('{S}')",
    "esc": json.dumps({"pwd": 'a"b' + S}),
    "q": "https://h/x?filter=%7B%22password%22%3A%22" + H + "%22%7D",
    "cookie": f"Cookie: a=b; token={T}; c=d\n",
    "curl d": f"curl -d 'password={S}' https://x",
    "curl dj": 'curl -d \'{"password":"' + S + "\"}' x",
    "durl": f"curl --data-urlencode 'password={S}' x",
    "set": f"set PASSWORD={S}\r\n",
    "ps": f'$env:DB_PASSWORD = "{S}"',
    "setx": f"setx API_TOKEN {T}",
    "ansible": f"h1 ansible_ssh_pass={S} ansible_user=x",
    "ENV": f"ENV PASSWORD {S}\n",
    "ARG": f"ARG TOKEN={T}\n",
    "systemd": f'Environment="DB_PASS={S}"',
    "nginx": f'proxy_set_header X-Auth-Token "{T}";',
    "ldap": f"userPassword: {{SSHA}}{T}\n",
    "npmrc": f"//registry.npmjs.org/:_authToken={T}\n",
    "npm _auth": "_auth=" + base64.b64encode(b"u:" + S.encode()).decode() + "\n",
    "kafka": f'sasl.jaas.config=org.x.PlainLoginModule required username="a" password="{S}";',
    "redis auth": f"AUTH {S}\n",
    "config set": f"CONFIG SET requirepass {S}",
    "wifi": f'psk="{S}"',
    "zh3": f"初始密码：{S}",
    "zh4": f"密码为“{S}”",
    "zh5": f"登录密码是：{S}。",
    "zh6": f"密钥(SK)：{T}",
    "presigned": f"https://b.obs.x/o?AccessKeyId={A}&Expires=1&Signature=abc%3D{T}",
    "access": f"Access={A}, SignedHeaders=x",
    "ak err": f"ak {A} not exist",
    "cred json": json.dumps({"access": A, "secret": T}),
    "amz": f"https://s3/o?X-Amz-Credential={A}%2F2026%2Fx&X-Amz-Signature={'ab' * 32}",
    "yaml >": f"token: >-\n    {T}\nx: 1",
    "yaml q": f"password: 'a''b{S}'\n",
    "yaml dq": f'password: "{S}"\n',
    "yaml nested": f"db:\n  creds:\n    password: {S}\n",
    "toml arr": f'passwords = ["{S}", "{S}x"]',
    "ini ;": f"password={S} ; comment\n",
    "tab": f"password\t{S}\n",
    "colon nospace": f"user:bob,password:{S}",
    "eq space": f"password =  {S}",
    "multi": f"DB_HOST=x DB_PASSWORD={S} DB_PORT=1",
    "md table": f"| user | password |\n|---|---|\n| bob | {S} |\n",
    "csv tab": f"user\tpassword\nbob\t{S}\n",
    "csv q": f'"user","password"\n"bob","{S}"\n',
    "json str csv": json.dumps({"csv": f"user,password\nbob,{S}\n"}),
    "html input": f'<input type="password" name="password" value="{S}">',
    "html td": f"<td>Password</td><td>{S}</td>",
    "dt": f"<dt>API token</dt><dd>{T}</dd>",
    "plist": f"<key>password</key><string>{S}</string>",
    "json5": "{'secretKey':'" + T + "'}",
    "querytext": f"GET /v1?x=1&access_token={T} HTTP/1.1",
    "temp pw": f"Temporary password: {S}",
    "sentence": f"Use the password '{S}' to log in",
    "sentence2": f"Your one-time code is {H}",
    "sentence3": f"password reset to {S}",
    "sentence4": f"changed password from old to {S}",
    "tf var": json.dumps({"variables": {"db_password": {"value": S}}}),
    "tf out": json.dumps({"outputs": {"pw": {"sensitive": True, "type": "string", "value": S}}}),
    "graphql": 'mutation { login(user: "a", password: "' + S + '") { id } }',
    "nested arr": json.dumps({"secrets": [["a", S]]}),
    "obj secret": json.dumps({"secret": {"value": S}}),
    "k8s data": json.dumps({"kind": "Secret", "data": {"p": base64.b64encode(S.encode()).decode()}}),
    "unicode key": '{"pass\\u0077ord":"' + S + '"}',
    "upper": json.dumps({"PASSWORD": S}),
    "spaced key": json.dumps({"Admin Password": S}),
    "zh key": json.dumps({"密码": S}, ensure_ascii=False),
    "kebab": json.dumps({"admin-password": S}),
    "heredoc": f"password = <<EOF\n{S}\nEOF\nx = 1\n",
    "heredoc2": f"export DB_PASS=<<-'END'\n  {S}\n  END\n",
    "acc": f"Pässword: {S}",
    "acc json": json.dumps({"Pässword": S}, ensure_ascii=False),
    "acc json2": json.dumps({"Pässword": S}),
    "de": f"Kennwort={S}",
    "es": f"contraseña: {S}",
    "pt": f"senha={S}",
    "heredoc3": f"password = <<EOF\n{S}",
}


@cache
def clean_forms() -> dict[str, str]:
    """Answers without a secret, which look a little as if they had one."""
    random.seed(5)

    def rand(n: int) -> str:
        return base64.b64encode(random.randbytes(n)).decode()

    def hexed(n: int) -> str:
        return random.randbytes(n).hex()

    return {
        "hcl": 'resource "x" "y" {\n  admin_pass = var.db_password\n  password   = random_password.pw.result\n}\n',
        "gha": "env:\n  TOKEN: ${{ secrets.TOKEN }}\n",
        "py": "password = os.environ['PW']\ntoken = config.token\nself.password = password\n",
        "ts": "const token: string = getToken();\n  password?: string;\n  secret: boolean\n",
        "java": "private String password;\npublic void setPassword(String password) { this.password = password; }\n",
        "go": 'type User struct {\n\tPassword string `json:"password"`\n}\n',
        "help": "  --password PASSWORD   the password to use\n  --token TOKEN  token\n",
        "usage": "usage: x [--password PASSWORD] [--token <token>]",
        "sql": "CREATE TABLE users (id INT, password VARCHAR(64), token TEXT NOT NULL);",
        "md 2": "| Field | Type | Description |\n|---|---|---|\n| password | String | Login password |\n| token | String | Token |\n",
        "swagger yaml": "properties:\n  password:\n    type: string\n    description: The password\n  token:\n    $ref: '#/x'\n",
        "log 2": "Token validated; password policy ok; 3 secrets rotated; key: value; code: 200",
        "zh": "密码：请输入8到26个字符；令牌无效，请重新登录",
        "rate": "tokens: 1000, max_tokens: 20",
        "html 2": '<label for="password">Password:</label> <a href="/reset-password?next=%2Fhome">Reset</a>',
        "css": ".token { color: red } .password:focus { x: 1 }",
        "dt": "<dt>Password</dt><dd>Required</dd>",
        "uuid 2": json.dumps({"secret_id": "0000aaaa-1111-2222-3333-444455556666", "key": "value", "code": "OK"}),
        "csms": json.dumps(
            {"secrets": [{"name": "db", "state": "ENABLED", "id": "x"}], "page_info": {"current_count": 1}}
        ),
        "quota": json.dumps({"quotas": {"resources": [{"type": "keypair", "quota": 100}]}, "token": {"remaining": 5}}),
        "user agent": "python-requests/2.32 auth/basic",
        "git": "commit 9fceb02d0ae598e95dc970b74767f19372d61af8\nAuthor: A <a@b.c>\n    Rotate the secret; token refresh",
        "pip": "foo==1.0 --hash=sha256:" + "ab" * 32,
        "docker digest": "image@sha256:" + "cd" * 32,
        "email": "mailto:a@b.c https://x.y/@user http://h:80/@x",
        "cron": "0 0 * * * /bin/passwd-check --quiet",
        "labels": json.dumps({"labels": {"app.kubernetes.io/secret-sync": "true", "token": "enabled"}}),
        "i18n 2": json.dumps({"login.password": "密码", "login.token": "令牌", "secret": "密钥"}, ensure_ascii=False),
        "next_token": json.dumps(
            {"next_token": rand(60), "page_info": {"next_marker": rand(48), "previous_marker": rand(40)}}
        ),
        "marker": json.dumps({"marker": rand(70)}),
        "marker40": json.dumps({"next_marker": "".join(random.choices(string.ascii_letters + string.digits, k=40))}),
        "sri": f'<script src="https://h/a.js" integrity="sha384-{rand(48)}"></script>',
        "dkim": json.dumps({"records": [f'"v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC{rand(90)}"']}),
        "spki": json.dumps({"public_key": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" + rand(240)}),
        "png": json.dumps({"icon": base64.b64encode(b"\x89PNG\r\n\x1a\n" + random.randbytes(300)).decode()}),
        "png2": json.dumps({"x": base64.b64encode(b"\x89PNG\r\n\x1a\n" + random.randbytes(300)).decode()}),
        "zip": json.dumps({"func_code": {"file": base64.b64encode(b"PK\x03\x04" + random.randbytes(400)).decode()}}),
        "data uri": json.dumps({"logo": "data:image/png;base64," + rand(300)}),
        "obj": f"<ListBucketResult><Key>backups/2026/{''.join(random.choices(string.ascii_letters + string.digits, k=50))}.tar.gz</Key><ETag>&quot;{hexed(16)}&quot;</ETag></ListBucketResult>",
        "objurl": json.dumps(
            {
                "url": "https://b.obs.cn-north-4.myhuaweicloud.com/"
                + "".join(random.choices(string.ascii_letters + string.digits, k=60))
                + ".bin"
            }
        ),
        "kms": json.dumps({"key_id": "0d0466b0-e727-4d9c-b35d-f84bb474a37f", "cipher_text": rand(180)}),
        "hostid": f"<Error><Code>AccessDenied</Code><Message>Access Denied</Message><RequestId>{hexed(16)}</RequestId><HostId>{rand(48)}</HostId></Error>",
        "k8s": json.dumps(
            {
                "kind": "Ingress",
                "spec": {
                    "tls": [{"secretName": "web-tls", "hosts": ["a"]}],
                    "imagePullSecrets": [{"name": "default-secret"}],
                },
            }
        ),
        "k8s yaml": "kind: Deployment\nspec:\n  secretName: web-tls\n  imagePullSecrets:\n  - name: default-secret\n  env:\n  - name: DB_PASSWORD\n    valueFrom:\n      secretKeyRef:\n        name: db\n        key: password\n",
        "doc": "secret: name of the secret\npassword: the password of the user, must be 8 to 26 characters\n",
        "serial": json.dumps({"serial_number": "ABCD1234EFGH5678IJKL", "sn": "2102351BTJ10J3000012"}),
        "etag": json.dumps({"etag": hexed(16), "sha256": hexed(32), "md5": rand(16)}),
        "cert": json.dumps(
            {"certificate": "-----BEGIN CERTIFICATE-----\nMIID" + rand(60) + "\n-----END CERTIFICATE-----\n"}
        ),
        "x5c": json.dumps(
            {"x5c": ["MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJRTES" + rand(200)]}
        ),
        "policy": json.dumps(
            {
                "password_policy": {
                    "password_requirements": "at least 8",
                    "minimum_password_length": 8,
                    "password_validity_period": 0,
                    "password_not_username_or_invert": True,
                    "password_char_combination": 2,
                    "password_regex": "^(?=.*[A-Z])",
                    "password_expires_at": "2027-01-01T00:00:00Z",
                    "pwd_status": True,
                    "pwd_strength": "high",
                    "last_pwd_auth_time": 1,
                }
            }
        ),
        "tokens": json.dumps(
            {
                "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16, "max_tokens": 4096},
                "token_type": "Bearer",
                "expires_in": 3600,
            }
        ),
        "server": json.dumps(
            {
                "server": {
                    "id": hexed(16),
                    "metadata": {"charging_mode": "0", "vpc_id": "a" * 8},
                    "key_name": "KeyPair-a1",
                    "security_groups": [{"name": "sg"}],
                    "OS-EXT-SRV-ATTR:user_data": None,
                    "http_tokens": "optional",
                    "accessIPv4": "",
                }
            }
        ),
        "err": json.dumps(
            {
                "error": {"message": "The password does not meet the complexity requirements.", "code": "Ecs.0005"},
                "error_msg": "Invalid token: token expired",
            }
        ),
        "err2": json.dumps({"error_msg": "Incorrect IAM authentication information: x-auth-token not found"}),
        "err3": json.dumps(
            {
                "errors": {
                    "password": ["must contain at least one digit and one of the special characters"],
                    "token": "required",
                }
            }
        ),
        "openapi": json.dumps(
            {
                "components": {
                    "schemas": {
                        "Login": {
                            "properties": {
                                "password": {
                                    "type": "string",
                                    "format": "password",
                                    "description": "Password of the user",
                                },
                                "token": {"type": "string"},
                            }
                        }
                    }
                }
            }
        ),
        "methods": json.dumps(
            {
                "token": {
                    "methods": ["password"],
                    "expires_at": "2026-01-01T00:00:00.000000Z",
                    "user": {"name": "olga", "id": hexed(16), "password_expires_at": ""},
                    "roles": [{"name": "te_admin", "id": "0"}],
                    "catalog": [{"endpoints": [{"url": "https://iam/v3"}]}],
                }
            }
        ),
        "secret desc": json.dumps(
            {
                "secret": {
                    "id": "b1",
                    "name": "db",
                    "state": "ENABLED",
                    "kms_key_id": hexed(16),
                    "description": "x",
                    "create_time": 1,
                    "secret_type": "COMMON",
                }
            }
        ),
        "creds": json.dumps(
            {
                "credentials": [
                    {"access": "HWCTEST1234567890ABC", "status": "active", "user_id": hexed(16), "description": ""}
                ]
            }
        ),
        "auth": json.dumps({"auth": "IAM", "auth_type": "APP", "authType": "NONE"}),
        "func": json.dumps(
            {
                "func_urn": "urn:fss:cn-north-4:" + hexed(16) + ":function:default:f:latest",
                "code_url": "",
                "code_type": "inline",
                "handler": "index.handler",
                "digest": hexed(32),
            }
        ),
        "trace": json.dumps(
            {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "request_id": hexed(16), "x": "Basic plan"}
        ),
        "html": '<html><body><form><label>Password</label><input type="password" name="password" placeholder="Password"></form><p>Forgot password? Token: see below</p></body></html>',
        "form def": '<input name="token" type="hidden" value="">',
        "log": "2026-01-01 12:00:00 INFO token refreshed for user olga, password unchanged, secret rotated",
        "md": "Set `HW_SECRET_KEY` and `HW_ACCESS_KEY`; see https://h/x?y=1#secret-keys. The access key: see the console.",
        "code": "def login(user, password):\n    if password is None:\n        raise ValueError('password missing')\n    token = get_token(user, password)\n    return token\n",
        "uuid": json.dumps(
            {"id": "0000aaaa-1111-2222-3333-444455556666", "client_token": "0000aaaa-1111-2222-3333-444455556666"}
        ),
        "ssh": json.dumps(
            {
                "keypair": {
                    "name": "k",
                    "public_key": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB" + rand(200) + " Generated-by-Nova",
                    "fingerprint": "4d:61:aa",
                }
            }
        ),
        "csv": "Name,Password Policy,Status\na,b,c\n",
        "bool": json.dumps({"password": True, "is_token": "false", "secret": None, "user_data": ""}),
        "num": json.dumps({"a": 1.10, "b": 1e5, "c": -0.0, "d": 12345678901234567890}),
        "percent": "https://h/x?name=%E4%BA%91&filter=a%20b",
        "b64json": json.dumps({"meta": base64.b64encode(b'{"name":"web","count":3}').decode()}),
        "xml cfg": '<config><property name="user" value="a"/><property name="timeout" value="5"/></config>',
        "docker": json.dumps({"auths": {"swr": {"auth": ""}}}),
        "spec": json.dumps({"volumes": [{"name": "t", "secret": {"secretName": "x", "defaultMode": 420}}]}),
        "cn": json.dumps({"message": "密码不正确，请重新输入。令牌已过期"}, ensure_ascii=False),
        "sentence": "Your access key is invalid. The secret key is required. Check that the token is valid and the password is correct.",
        "urlpath": json.dumps(
            {"href": "https://kms.cn-north-4.myhuaweicloud.com/v1.0/" + hexed(16) + "/kms/generate-random/secret/keys"}
        ),
        "sg": json.dumps(
            {
                "code": "10001",
                "error_code": "APIGW.0301",
                "status_code": 200,
                "country_code": "CN",
                "verification": {"code": 0},
            }
        ),
        "tf": 'variable "password" {\n  type = string\n  sensitive = true\n}\n',
        "jsonschema": json.dumps(
            {"required": ["password", "token"], "properties": {"password": {"default": "", "minLength": 8}}}
        ),
        "i18n": json.dumps(
            {
                "password": "Password",
                "forgot_password": "Forgot your password?",
                "token.expired": "The token is expired.",
            }
        ),
        "spread": "a=1;b=2;c=3 key=value code=200 auth=none",
        "version": json.dumps(
            {
                "id": "v3.6",
                "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
            }
        ),
    }


@cache
def worst_cases(size: int) -> dict[str, str]:
    """Bodies of about size characters that are hard on expressions and scanners."""
    random.seed(1)

    def word() -> str:
        return "".join(random.choices(string.ascii_lowercase, k=7))

    prose = " ".join(word() for _ in range(size // 8))
    return {
        "prose": prose,
        "run %": "<p>%41" + "a" * size,
        "many %": "%41" * (size // 3),
        "% b": ("a%41b ") * (size // 6),
        "name=": 'name="x"\n' * (size // 9),
        "name= varied": "".join(f'name="v{i}"\n' for i in range(size // 14)),
        "password= varied": "".join(f'password="Vx{i}q!{i}"\n' for i in range(size // 24)),
        "password oneline": "".join(f"password=Vx{i}q!{i} " for i in range(size // 24)),
        "password: oneline": "password: " * (size // 10),
        "pass open quote": '"password":"' * (size // 12),
        "pass esc quote": '\\"password\\":\\"' * (size // 15),
        "xml": "<password>" * (size // 10),
        "xml2": "<password>x</password>" * (size // 22),
        "entities": "&quot;password&quot;:&quot;a1b2c3&quot;," * (size // 41),
        "pem": "-----BEGIN RSA PRIVATE KEY-----" * (size // 31),
        "b64": base64.b64encode(random.randbytes(size * 3 // 4)).decode(),
        "b64 text": base64.b64encode(prose[: size * 3 // 4].encode()).decode(),
        "b64 nested": base64.b64encode(base64.b64encode(base64.b64encode(prose[: size // 3].encode()))).decode(),
        "slashes": "/aaaaaaaaaaaa" * (size // 13),
        "hex": ("ab" * 16 + " ") * (size // 33),
        "A": "A" * size,
        "a-": "-a" * (size // 2),
        "eyJ": "eyJaaaaaa." * (size // 10),
        "://": "://a:b" * (size // 6),
        "://@": "http://u:Pw1234567@h " * (size // 21),
        "hook": "/hook/aaaaaaaa" * (size // 14),
        "http ": "http " * (size // 5),
        "mysql": "mysql " * (size // 6),
        "curl -u": "curl -u " * (size // 8),
        "echo": "echo a:b" * (size // 8) + "chpasswd",
        "json": json.dumps(
            [
                {
                    "id": word(),
                    "name": word(),
                    "status": "ACTIVE",
                    "count": i,
                    "links": [{"href": "https://h/v1/" + word()}],
                }
                for i in range(size // 110)
            ]
        ),
        "json pw": json.dumps([{"id": word(), "password": word() + "9X!" + word()} for i in range(size // 50)]),
        "json str": json.dumps({"x": '\\"token\\": ' * (size // 14)}),
        "ndjson": "\n".join(json.dumps({"id": word(), "token": word() + "9X" + word()}) for i in range(size // 50)),
        "form": "&".join(f"{word()}={word()}%20{word()}" for i in range(size // 26)),
        "csv": "user,password,x\n" + "\n".join(f"{word()},{word()}A1!,{word()}" for i in range(size // 28)),
        "yaml pw": "\n".join(f"password: {word()}A1!" for i in range(size // 22)),
        "keys": "key " * (size // 4),
        "code:": "code: " * (size // 6),
        "AK": " ".join("A1" + "".join(random.choices(string.ascii_uppercase, k=18)) for i in range(size // 21)),
        "kind": "kind: Secret\ndata:\n" * (size // 19),
        "name multipart": 'name="password"\r\n' * (size // 17),
        "block": "password: |\n" * (size // 12),
        "is": "password is " * (size // 12),
        "zh": "密码" * (size // 6),
        "[": '"passwords": ["' * (size // 15),
        "{": "secret_string={" * (size // 15),
        "\\": "\\" * size + '"password"',
        "quotes": "'" * size,
        "soup": " ".join(
            base64.b64encode(random.randbytes(random.randrange(9, 90))).decode() for _ in range(size // 68)
        ),
        "b64 lines": base64.encodebytes(random.randbytes(size * 3 // 4)).decode(),
        "b64 text lines": base64.encodebytes(prose[: size * 3 // 4].encode()).decode(),
        "urls": "".join(
            f"https://{word()}.x/token/{word()}?a={word()}&token={word()}A1%20 " for _ in range(size // 60)
        ),
        "names": "".join(f"{word()}_password " for _ in range(size // 17)),
        "log": "".join(
            f"2026-01-01 INFO [{word()}] token refreshed user={word()} status=200\n" for _ in range(size // 60)
        ),
        "html": "".join(
            f'<tr><td>{word()}</td><td><a href="/x?a=1&amp;b=2">{word()}</a></td></tr>\n' for _ in range(size // 65)
        ),
        "multipart": "".join(
            f'--b\r\nContent-Disposition: form-data; name="{word()}_pwd"\r\n\r\n{word()}A1\r\n'
            for _ in range(size // 70)
        ),
        "escapes": json.dumps({"x": "云服务器" * (size // 24)}),
        "form fields": "&".join(f"{word()}_key={word()}A1" for _ in range(size // 21)),
        "curl -u x": "curl -u x:yz12 " * (size // 15),
        "chpw": "chpasswd\n" + "aaaa:bbbb1\n" * (size // 11),
    }
