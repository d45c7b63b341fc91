"""Secrets of more kinds, each with values of its own: a value that was met once is hidden by that, not by its kind."""

# ruff: noqa: E501 - a kind a line
from __future__ import annotations

import base64
import gzip
import html
import io
import json
import tarfile
import zipfile
from functools import cache
from urllib.parse import quote

NAMES = [
    "svcPwd",
    "mongo_user_password",
    "ldap_bind_pwd",
    "sftp_pass",
    "kafka-sasl-password",
    "oldPasswd",
    "new_passphrase",
    "wifi_psk",
    "hmacSecretKey",
    "encryptionKey",
    "consumer_secret",
    "oauth_token_secret",
    "bot_token",
    "personalAccessToken",
    "device_code",
    "mfa_code",
    "recovery_code",
    "backupCode",
    "signing_secret",
    "webhook_secret",
    "shared_access_key",
    "storageAccountKey",
    "license_key",
    "keystore_password",
    "trustStorePassword",
    "jks_pwd",
    "pfx_password",
    "cert_key_password",
    "root_password",
    "AdministratorPassword",
    "initial_password",
    "login_password",
    "db_credentials",
    "redisAuth_password",
    "smtp_password",
    "snmp_auth_password",
    "ipmi_pwd",
    "bmcPassword",
    "session_token",
    "refreshToken",
    "id_token",
    "csrf_token",
    "xsrfToken",
    "auth_code",
    "user_data",
    "OS-DCF:adminPass",
    "vnc_password",
    "rdp_pwd",
    "guacamole_password",
    "ssh_private_key",
    "ca_key_password",
    "tls_key_data",
    "dek_plaintext",
    "private_key_base64",
    "cloud_sk",
    "obs_secret_key",
    "s3_secret_access_key",
    "X-Security-Token",
    "registry_password",
    "docker_password",
    "git_token",
    "npmToken",
    "ansible_become_pass",
    "ansible_vault_password",
    "terraform_token",
    "consul_http_token",
    "vault_root_token",
]
ACCESS_KEY = "HQWERTYUIOPASDFGHJKL"


def values_of(number: int) -> tuple[str, str, str]:
    """A password, one without signs, and a token, as nobody else has them."""
    return f"vB4#mX{number:03}kQz2pLw", f"hT6_yR{number:03}dNc3sGe", f"q7Lm2X{number:03}cV9bTz4KpR8wNd"


@cache
def planted(number: int) -> dict[str, str]:
    """Texts of many kinds, with the values of a number."""
    S, S2, T = values_of(number)  # noqa: N806

    def b(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    found = {f"json {name}": json.dumps({"id": 7, "inner": {name: S}}) for name in NAMES}
    return found | {
        "yaml anchor": f"base: &b\n  password: {S}\nuse: *b\n",
        "yaml flow": f"db: {{user: root, password: {S}, port: 5432}}\n",
        "yaml list map": f"- name: a\n  token: {T}\n- name: b\n  token: {T}x\n",
        "toml table": f"[auth]\ntoken = \"{T}\"\n",
        "ini sect": f"[mysql]\nuser=root\npassword={S}\n",
        "properties": f"app.datasource.hikari.password={S}\n",
        "env file": f"export A=1\nexport API_KEY='{T}'\n",
        "dockerfile": f"FROM x\nENV DB_PASSWORD={S} A=b\n",
        "compose": f"services:\n  db:\n    environment:\n      - MYSQL_ROOT_PASSWORD={S}\n",
        "k8s env": json.dumps({"env":[{"name":"PGPASSWORD","value":S}]}),
        "helm": f"helm install x --set auth.rootPassword={S}",
        "kubectl": f"kubectl create secret generic x --from-literal=password={S}",
        "psql": f"PGPASSWORD={S} psql -h x",
        "curl bearer": f"curl -H \"Authorization: Bearer {T}\" https://x",
        "curl basic": f"curl -u admin:{S} https://x",
        "curl multi": f"curl -sSL -X POST -u 'svc:{S}' -d a=b https://x/y",
        "wget": f"wget --user=bob --password={S} https://x",
        "httpie": f"http -a bob:{S} https://x",
        "docker login": f"docker login -u u -p {S} swr.x",
        "docker stdin": f"echo {S} | docker login --username u --password-stdin",
        "chpasswd": f"echo \"ubuntu:{S}\" | chpasswd",
        "chpasswd list": f"#cloud-config\nchpasswd:\n  list: |\n    root:{S}\n    user:{S2}\n",
        "cloud-init": f"#cloud-config\npassword: {S}\nchpasswd: {{expire: False}}\n",
        "passwd stdin": f"echo {S} | passwd --stdin root",
        "net user": f"net user Administrator {S}",
        "mysql -p": f"mysql -h x -uroot -p{S} -e 'select 1'",
        "mongo uri": f"mongodb+srv://app:{S2}@c.x.net/db?retryWrites=true",
        "amqp": f"amqps://guest:{S2}@mq:5671/v",
        "postgres uri": f"postgresql://u:{quote(S,safe='')}@h:5432/d",
        "redis uri": f"rediss://default:{S2}@h:6380/1",
        "smtp uri": f"smtp://a%40b.c:{S2}@h:587",
        "git url": f"git clone https://oauth2:{T}@git.x/y.git",
        "sentry-like": f"https://{T}@o1.ingest.x/42",
        "ado conn": f"Server=tcp:h,1433;Database=d;User ID=u;Password={S2};Encrypt=True;",
        "jdbc oracle": f"jdbc:oracle:thin:scott/{S2}@//h:1521/x",
        "jdbc pg": f"jdbc:postgresql://h/d?user=u&password={S2}&ssl=true",
        "azure": f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={T}{T}==;",
        "odbc": f"DSN=x;UID=u;PWD={S2}",
        "sql alter": f"ALTER USER 'root'@'%' IDENTIFIED BY '{S}';",
        "sql set": f"SET PASSWORD FOR 'bob'@'%' = PASSWORD('{S2}');",
        "sql create role": f"CREATE ROLE app WITH LOGIN PASSWORD '{S}';",
        "xml el": f"<cfg><dbPassword>{S}</dbPassword></cfg>",
        "xml attr": f"<conn user=\"a\" pwd=\"{S2}\"/>",
        "xml cdata": f"<Token><![CDATA[{T}]]></Token>",
        "xml kv": f"<entry><key>secret_key</key><value>{T}</value></entry>",
        "soap": f"<wsse:Password wsse:Type=\"x\">{S}</wsse:Password>",
        "html hidden": f"<input type='hidden' name='csrf_token' value='{T}'>",
        "html meta": f"<meta name=\"csrf-token\" content=\"{T}\">",
        "entities": html.escape(json.dumps({"password":S})),
        "js object": f"const c = {{ apiKey: \"{T}\", x: 1 }};",
        "python": f"PASSWORD = \"{S}\"\n",
        "python kw": f"connect(host='x', password='{S}')",
        "ruby": f":password => \"{S}\",",
        "go struct": f"Config{{Token: \"{T}\", N: 1}}",
        "php": f"'db_password' => '{S}',",
        "powershell": f"$cred = ConvertTo-SecureString \"{S}\" -AsPlainText -Force",
        "lua": f"local token = \"{T}\"",
        "nginx basic": f"auth_basic_user bob:{'$apr1$abcd1234$' + 'Q'*4 + 'x9K2mPz7Lw3Rt5Vb8N'}",
        "shadow": "root:$6$rounds=5000$saltsalt$" + "Ab9"*20 + ":19000:0:99999:7:::",
        "htpasswd": "bob:$2y$05$" + "c9DkK3mZ8Qp1"*4 + "abcde",
        "log kv": f"level=info msg=login user=bob password={S2} ip=1.2.3.4",
        "log json": json.dumps({"msg":f"retry with token={T}"}),
        "log py": f"DEBUG sending {{'X-Auth-Token': '{T}', 'a': 1}}",
        "log sentence": f"Your temporary password is {S}",
        "log err": f"invalid password '{S}' for user bob",
        "log cn": f"初始化密码为：{S}，请及时修改",
        "cn json": json.dumps({"管理员密码":S},ensure_ascii=False),
        "cn csv": f"用户名,密码\nbob,{S2}\n",
        "accent json": json.dumps({"contraseña":S}),
        "umlaut": f"Paßwort: {S}\nPasswörter={S}\n" ,
        "fullwidth": f"ｔｏｋｅｎ：{T}",
        "csv": f"Name,Password\nbob,{S2}\n",
        "csv semi": f"name;secret key;x\nbob;{T};1\n",
        "tsv": f"name\taccess_token\nbob\t{T}\n",
        "md table": f"| name | token |\n|---|---|\n| a | {T} |\n",
        "form": f"grant_type=password&username=u&password={quote(S)}",
        "form code": f"grant_type=authorization_code&code={T}&redirect_uri=https%3A%2F%2Fx",
        "multipart": f"--x\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\n{T}\r\n--x--\r\n",
        "multipart ct": f"--x\r\nContent-Disposition: form-data; name=\"passwd\"\r\nContent-Type: text/plain\r\n\r\n{S}\r\n--x--\r\n",
        "header": f"X-Vault-Token: {T}\r\nAccept: */*\r\n",
        "cookie hdr": f"Set-Cookie: sessionToken={T}; Path=/\r\n",
        "basic": f"Authorization: Basic {b('bob:'+S)}",
        "jwt": "ok eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJpYW0ifQ.c2lnbmF0dXJlX3ZhbHVlXzk4Nw end",
        "pem": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB"+ "k3Xz9Qw7"*5 +"\n-----END EC PRIVATE KEY-----\n",
        "openssh": "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r"+ "k3Xz9Qw7"*5 +"\n-----END OPENSSH PRIVATE KEY-----\n",
        "pem json": json.dumps({"x":"-----BEGIN PRIVATE KEY-----\nMIGH"+ "k3Xz9Qw7"*5 +"\n-----END PRIVATE KEY-----\n"}),
        "github": "token ghp_"+"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0hJ3lM6",
        "gitlab": "glpat-"+"xY9zA2bC5dE8fG1hJ4kL",
        "slack": "xoxb-"+"1234567890-abcDEF456ghi",
        "stripe": "sk_live_"+"4eC39HqLyjWDarjtT1zdp7dc",
        "google": "AIza"+"SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
        "feishu": "https://open.feishu.cn/open-apis/bot/v2/hook/7c1d9e52-3f4a-4b6c-8d7e-9f0a1b2c3d4e",
        "dingtalk": f"https://oapi.dingtalk.com/robot/send?access_token={T}{T}",
        "teams": "https://x.webhook.office.com/webhookb2/"+"7c1d9e52-3f4a-4b6c-8d7e-9f0a1b2c3d4e"+"/x",
        "telegram": "https://api.telegram.org/bot123456789:AAF"+"k3Xz9Qw7vB4mX8kQz2pLwq7Lm2XcV9b"+"/send",
        "path reset": f"https://h/account/reset-password/{T}",
        "path invite": f"https://h/invite/{T}?x=1",
        "path apikey": f"https://h/v1/apikey/{T}/items",
        "path token": f"https://h/v2.0/tokens/{T}",
        "path pw": f"https://h/login/password/{S2}",
        "fragment": f"https://h/cb#id_token={T}&state=1",
        "query enc": f"https://h/x?redirect=https%3A%2F%2Fy%2F%3Faccess_token%3D{T}",
        "presigned": f"https://b.obs.cn-north-4.myhuaweicloud.com/o?AWSAccessKeyId={ACCESS_KEY}&Expires=1&Signature={quote(T+'+/=',safe='')}",
        "otpauth": f"otpauth://totp/x:bob?secret={T}&issuer=x",
        "nested json3": json.dumps({"a":json.dumps({"b":json.dumps({"password":S})})}),
        "json in form": "payload="+quote(json.dumps({"token":T})),
        "b64 of json": json.dumps({"blob":b(json.dumps({"secret":S}))}),
        "b64 url in text": "config "+base64.urlsafe_b64encode(("password="+S+" ~~??").encode()).decode()+" end",
        "hex": ("token="+T+"; ok").encode().hex(),
        "gzip b64": json.dumps({"d":base64.b64encode(gzip.compress(f"DB_PASS={S}".encode())).decode()}),
        "percent twice": quote(quote(f"password={S}",safe=""),safe=""),
        "b64 twice": b(b(f"password: {S}")),
        "docker cfg": json.dumps({"auths":{"r":{"auth":b("u:"+S)}}}),
        "k8s secret data": json.dumps({"apiVersion":"v1","kind":"Secret","data":{"pw":b(S)}}),
        "k8s secret yaml": f"kind: Secret\nstringData:\n  anything: {S}\n",
        "tfstate": json.dumps({"resources":[{"instances":[{"attributes":{"admin_pass":S}}]}]}),
        "tf out": json.dumps({"outputs":{"x":{"sensitive":True,"value":S}}}),
        "argv": json.dumps({"cmd":["app","--api-key",T]}),
        "cmd =": f"app --client-secret={T} run",
        "systemd": f"Environment=\"TOKEN={T}\"",
        "maven": f"<server><id>x</id><password>{S}</password></server>",
        "gradle": f"storePassword '{S}'",
        "npmrc": f"//r/:_authToken={T}",
        "pypirc": f"[pypi]\nusername: __token__\npassword: pypi-AgEIcHlwaS5vcmc{T}{T}\n",
        "netrc": f"machine h\n login u\n password {S}\n",
        "pgpass": f"h:5432:*:u:{S2}\n",
        "wg": f"[Interface]\nPrivateKey = {b('k'*32)}\n",
        "ldif": f"dn: x\nuserPassword:: {b(S)}\n",
        "radius": f"secret = {S}\n",
        "cisco": f"enable secret 0 {S2}\n",
        "graphql": "mutation{login(password:\\\"" + S + "\\\"){id}}",
        "expect": f"send \"{S}\\r\"  # password: {S}",
    }  # fmt: skip


def packed(number: int) -> dict[str, bytes]:
    """Archives with files that hold them."""
    password, _, token = values_of(number)
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conf/app.yaml", f"password: {password}\n")
        archive.writestr("readme.txt", "hello")
    with tarfile.open(fileobj=tarred, mode="w:gz") as tar:
        content = f"TOKEN={token}\n".encode()
        info = tarfile.TarInfo(".env")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    inner = json.dumps({"func_code": {"file": base64.b64encode(zipped.getvalue()).decode()}})
    return {"zip": zipped.getvalue(), "tar.gz": tarred.getvalue(), "zip in JSON": inner.encode()}


def unpacked(body: bytes) -> list[str]:
    """The texts in such a body, read without any code of the package."""
    if body[:1] == b"{":
        body = base64.b64decode(json.loads(body)["func_code"]["file"])
    if body[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return [archive.read(name).decode() for name in archive.namelist()]
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        opened = (tar.extractfile(member) for member in tar)
        return [one.read().decode() for one in opened if one]
