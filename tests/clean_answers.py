"""Answers of services without a secret: ids, digests, certificates, keys that are public, tokens by name only."""

# ruff: noqa: E501, E702 - an answer a line
from __future__ import annotations

import base64
import json
import random
import string
import uuid
from functools import cache


@cache
def clean_answers() -> dict[str, str]:
    """By service, with values that differ in no run."""
    chance = random.Random(11)
    found: dict[str, str] = {}

    def h(n: int) -> str:
        return chance.randbytes(n).hex()

    def b(n: int) -> str:
        return base64.b64encode(chance.randbytes(n)).decode()

    def u() -> str:
        return str(uuid.UUID(bytes=chance.randbytes(16), version=4))

    def r(n: int) -> str:
        return "".join(chance.choices(string.ascii_letters + string.digits, k=n))

    def j(name: str, value: object) -> None:
        found[name] = json.dumps(value)

    # fmt: off
    j("ecs server",{"server":{"id":u(),"name":"ecs-web-01","status":"ACTIVE","created":"2026-01-01T00:00:00Z","hostId":h(28),"key_name":"KeyPair-9f3a","OS-EXT-SRV-ATTR:hostname":"ecs-web-01","OS-EXT-SRV-ATTR:root_device_name":"/dev/vda","OS-EXT-SRV-ATTR:reservation_id":"r-9x8z7y6w","flavor":{"id":"s6.large.2","vcpus":"2","ram":"4096"},"metadata":{"vpc_id":u(),"metering.image_id":u(),"metering.cloudServiceType":"hws.service.type.ec2","image_name":"Ubuntu 22.04 server 64bit","os_bit":"64","agency_name":""},"addresses":{u():[{"version":"4","addr":"192.168.0.10","OS-EXT-IPS-MAC:mac_addr":"fa:16:3e:a1:b2:c3","OS-EXT-IPS:port_id":u()}]},"tags":["__type_baremetal"],"os:scheduler_hints":{},"enterprise_project_id":"0","security_options":{"secure_boot_enabled":False,"tpm_enabled":False}}})
    j("ecs jobs",{"job_id":"ff808082"+h(12),"job_type":"createServer","begin_time":"2026-01-01T00:00:00.000Z","status":"RUNNING","entities":{"sub_jobs_total":1}})
    j("ecs flavors",{"flavors":[{"id":"c7.xlarge.2","os_extra_specs":{"ecs:performancetype":"computingv3","cond:operation:az":"cn-north-4a(normal)","hw:numa_nodes":"1"}}]})
    j("keypairs",{"keypairs":[{"keypair":{"name":"k1","public_key":"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ"+b(250)+" Generated-by-Nova","fingerprint":"a1:b2:c3:d4:e5:f6:07:18:29:3a:4b:5c:6d:7e:8f:90"}}]})
    j("keypair detail",{"keypair":{"public_key":"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBB"+b(60)+" me@x","fingerprint":"SHA256:"+b(32).rstrip("="),"type":"ssh","id":12345}})
    j("images",{"images":[{"id":u(),"checksum":h(16),"__image_source_type":"uds","__imageid":u(),"os_hash_algo":"sha512","os_hash_value":h(64),"file":"/v2/images/"+u()+"/file","__support_kvm":"true","min_ram":0}],"next":"/v2/images?marker="+u()})
    j("evs",{"volumes":[{"id":u(),"links":[{"href":"https://evs.cn-north-4.myhuaweicloud.com/v2/"+h(16)+"/volumes/"+u()}],"metadata":{"__system__encrypted":"1","__system__cmkid":u(),"hw:passthrough":"false"},"wwn":"688860300000"+h(10),"serial_number":"SN"+r(10)}]})
    j("vpc",{"vpcs":[{"id":u(),"cidr":"10.0.0.0/8","routes":[],"status":"OK"}]})
    j("ports",{"ports":[{"id":u(),"mac_address":"fa:16:3e:00:11:22","device_owner":"compute:cn-north-4a","dns_name":"ip-10-0-0-1","binding:vif_details":{"primary_interface":True,"ovs_hybrid_plug":False},"binding:profile":{},"port_security_enabled":True}]})
    j("sg rules",{"security_group_rules":[{"id":u(),"direction":"ingress","protocol":"tcp","port_range_min":22,"remote_ip_prefix":"0.0.0.0/0","description":"ssh access for admins"}]})
    j("vpn psk absent",{"vpn_connection":{"id":u(),"style":"STATIC","ikepolicy":{"auth_algorithm":"sha2-256","encryption_algorithm":"aes-256","pfs":"group14","ike_version":"v2","authentication_method":"pre-share"},"psk":"******"}})
    j("eip",{"publicips":[{"id":u(),"public_ip_address":"203.0.113.7","bandwidth_share_type":"PER","profile":{"order_id":"CS2601011234ABCDE"}}]})
    j("elb",{"loadbalancers":[{"id":u(),"provisioning_status":"ACTIVE","l4_flavor_id":u(),"vip_port_id":u(),"elb_virsubnet_type":"dualstack","guaranteed":True,"autoscaling":{"enable":False}}],"page_info":{"next_marker":u(),"previous_marker":u(),"current_count":1}})
    j("elb cert",{"certificates":[{"id":u(),"type":"server","certificate":"-----BEGIN CERTIFICATE-----\nMIIDpTCCAo2g"+b(240)+"\n-----END CERTIFICATE-----","fingerprint":h(20),"common_name":"example.com","subject_alternative_names":["www.example.com"]}]})
    j("dns",{"recordsets":[{"id":h(16),"name":"_dmarc.example.com.","type":"TXT","records":["\"v=spf1 include:spf.example.com -all\"","\"google-site-verification="+r(43)+"\""]}]})
    j("dns dkim",{"recordsets":[{"name":"s1._domainkey.example.com.","records":["\"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"+b(160).replace("=","")+"\""]}]})
    found["obs list"]="<?xml version=\"1.0\"?><ListBucketResult><Name>b</Name><Prefix></Prefix><Marker></Marker><NextMarker>logs/2026/01/"+r(40)+"</NextMarker><IsTruncated>true</IsTruncated><Contents><Key>logs/app-"+h(10)+".gz</Key><ETag>\""+h(16)+"\"</ETag><Size>1</Size><Owner><ID>"+h(16)+"</ID></Owner><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"
    found["obs versions"]="<ListVersionsResult><NextKeyMarker>a</NextKeyMarker><NextVersionIdMarker>G001"+h(14).upper()+"</NextVersionIdMarker><Version><Key>x</Key><VersionId>G001"+h(14).upper()+"</VersionId></Version></ListVersionsResult>"
    found["obs multipart"]="<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>"+h(16).upper()+"</UploadId></InitiateMultipartUploadResult>"
    found["obs parts"]="<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;"+h(16)+"&quot;</ETag></Part></CompleteMultipartUpload>"
    found["obs acl"]="<AccessControlPolicy><Owner><ID>"+h(16)+"</ID></Owner><AccessControlList><Grant><Grantee><ID>"+h(16)+"</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>"
    found["obs error"]="<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message><RequestId>"+h(16).upper()+"</RequestId><HostId>"+b(48)+"</HostId></Error>"
    found["obs cors"]="<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedHeader>x-obs-security-token</AllowedHeader><AllowedHeader>Authorization</AllowedHeader><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>"
    j("obs policy",{"Statement":[{"Sid":"allow","Effect":"Allow","Principal":{"ID":["domain/"+h(16)+":user/"+h(16)]},"Action":["GetObject"],"Resource":["b/*"]}]})
    j("rds",{"instances":[{"id":h(16)+"in01","db_user_name":"root","port":3306,"datastore":{"type":"MySQL","version":"8.0"},"disk_encryption_id":"","enable_ssl":True,"backup_strategy":{"start_time":"17:00-18:00","keep_days":7},"nodes":[{"id":h(16)+"no01","role":"master"}],"associated_with_ddm":False}]})
    j("rds params",{"configuration_parameters":[{"name":"validate_password.length","value":"8","restart_required":False,"type":"integer","description":"Minimum password length"},{"name":"default_password_lifetime","value":"0"},{"name":"old_passwords","value":"0"},{"name":"caching_sha2_password_auto_generate_rsa_keys","value":"ON"}]})
    j("rds users",{"users":[{"name":"app","databases":[{"name":"d","readonly":False}],"hosts":["%"],"comment":"application account"}],"total_count":1})
    j("rds errorlog",{"error_logs":[{"time":"2026-01-01T00:00:00","level":"WARNING","content":"Access denied for user 'root'@'10.0.0.1' (using password: YES)"},{"content":"'NO_ZERO_DATE', 'NO_ZERO_IN_DATE' sql modes should be used with strict mode. Plugin sha256_password reported"}]})
    j("dcs",{"instances":[{"instance_id":u(),"no_password_access":"false","access_user":"","domain_name":"redis-"+h(3)+".cn-north-4.dcs.myhuaweicloud.com","public_ip_id":"","enable_ssl":False}]})
    j("iam users",{"users":[{"id":h(16),"name":"olga","password_expires_at":"","pwd_status":True,"pwd_strength":"high","is_domain_owner":False,"access_mode":"default","last_login_time":"2026-01-01 00:00:00","links":{"self":"https://iam.myhuaweicloud.com/v3/users/"+h(16)}}]})
    j("iam roles",{"roles":[{"id":h(16),"name":"system_all_1","display_name":"KMS CMKFullAccess","policy":{"Version":"1.1","Statement":[{"Action":["kms:dek:encrypt","kms:cmk:createGrant"],"Effect":"Allow"}]},"catalog":"KMS"}]})
    j("iam creds",{"credentials":[{"access":"HWCTESTABCDEFGHIJKLM","user_id":h(16),"status":"active","create_time":"2026-01-01T00:00:00.000000Z","description":"for ci"}]})
    j("iam token body",{"token":{"expires_at":"2026-01-01T00:00:00.000000Z","methods":["hw_ak_sk"],"issued_at":"2026-01-01T00:00:00.000000Z","mfa_authn_at":"","catalog":[{"type":"compute","id":h(16),"endpoints":[{"region_id":"cn-north-4","url":"https://ecs.cn-north-4.myhuaweicloud.com/v2/"+h(16)}]}],"roles":[{"name":"op_gated_x","id":"0"}],"project":{"name":"cn-north-4","id":h(16)}}})
    j("iam mfa",{"virtual_mfa_devices":[{"serial_number":"iam:"+h(16)+":mfa:olga","user_id":h(16)}]})
    j("iam password policy",{"password_policy":{"maximum_consecutive_identical_chars":0,"maximum_password_length":32,"minimum_password_age":0,"minimum_password_length":8,"number_of_recent_passwords_disallowed":1,"password_not_username_or_invert":True,"password_requirements":"A password must contain at least two of the following: uppercase letters, lowercase letters, digits, and special characters.","password_validity_period":0}})
    j("iam login policy",{"login_policy":{"account_validity_period":0,"custom_info_for_login":"","lockout_duration":15,"login_failed_times":5,"period_with_login_failures":15,"session_timeout":60,"show_recent_login_info":False}})
    j("iam agency",{"agencies":[{"id":h(16),"trust_domain_name":"op_svc_evs","duration":"FOREVER","description":"Created by EVS service."}]})
    j("iam idp",{"identity_providers":[{"sso_type":"iam_user_sso","id":"adfs","links":{"protocols":"https://iam/v3/OS-FEDERATION/identity_providers/adfs/protocols"}}]})
    j("lts groups",{"log_groups":[{"log_group_id":u(),"log_group_name":"lts-group-01","creation_time":1630547141853,"ttl_in_days":7,"tag":{"_sys_enterprise_project_id":"0"}}]})
    j("lts logs",{"logs":[{"content":"2026-01-01 10:00:00 INFO user olga authenticated with token; request_id="+h(16),"line_num":"1595659490239433654","labels":{"hostName":"ecs-1","hostId":u(),"_ip":"10.0.0.1"}}],"scroll_id":b(60),"isQueryComplete":True})
    j("lts access log",{"logs":[{"content":'10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /api/v1/tokens?limit=10 HTTP/1.1" 200 123 "-" "curl/8.0"'}]})
    j("cts",{"traces":[{"trace_id":u(),"trace_name":"createAccessKey","service_type":"IAM","code":"201","resource_type":"accesskey","user":{"name":"olga","domain":{"id":h(16)}},"request":"","response":"","tracker_name":"system","record_time":1,"source_ip":"10.0.0.1"}],"meta_data":{"count":1,"marker":u()}})
    j("ces",{"metrics":[{"namespace":"SYS.ECS","metric_name":"cpu_util","dimensions":[{"name":"instance_id","value":u()}],"unit":"%"}],"meta_data":{"count":1,"marker":"SYS.ECS.cpu_util.instance_id:"+u(),"total":7}})
    j("kms list",{"keys":[u(),u()],"next_marker":"","truncated":"false"})
    j("kms detail",{"key_info":{"key_id":u(),"key_alias":"my-key","key_state":"2","key_spec":"AES_256","key_usage":"ENCRYPT_DECRYPT","keystore_id":"0","key_label":"x","default_key_flag":"0","key_rotation_enabled":"false"}})
    j("kms encrypt",{"key_id":u(),"cipher_text":b(180)})
    j("kms sign",{"key_id":u(),"key_spec":"RSA_2048"})
    j("csms",{"secrets":[{"id":u(),"name":"prod-db","state":"ENABLED","kms_key_id":u(),"create_time":1,"secret_type":"COMMON","enterprise_project_id":"0","event_subscriptions":[],"rotation_func_urn":""}],"page_info":{"next_marker":"","current_count":1}})
    j("csms version",{"version_metadata":{"id":"v1","kms_key_id":u(),"create_time":1,"secret_name":"prod-db","version_stages":["SYSCURRENT"]}})
    j("cce",{"kind":"Cluster","metadata":{"name":"c1","uid":u()},"spec":{"authentication":{"mode":"rbac","authenticatingProxy":{}},"kubernetesSvcIpRange":"10.247.0.0/16","hostNetwork":{"vpc":u()}},"status":{"phase":"Available"}})
    j("k8s pods",{"kind":"PodList","metadata":{"resourceVersion":"12345","continue":b(90)},"items":[{"metadata":{"name":"web-7d9f8b6c5-x2z4q","uid":u(),"ownerReferences":[{"uid":u()}]},"spec":{"volumes":[{"name":"kube-api-access-x2z4q","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}}]}}],"imagePullSecrets":[{"name":"default-secret"}],"containers":[{"env":[{"name":"DB_PASSWORD","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}}],"image":"swr.x/y@sha256:"+h(32)}]}}]})
    j("k8s configmap",{"kind":"ConfigMap","data":{"app.properties":"cache.enabled=true\nauth.mode=oauth2\ntoken.ttl=3600\n"}})
    j("swr tags",[{"Tag":"v1","image_id":h(32),"digest":"sha256:"+h(32),"manifest":json.dumps({"schemaVersion":2,"config":{"digest":"sha256:"+h(32)}}),"path":"swr.x/g/i:v1"}])
    j("fgs",{"functions":[{"func_urn":"urn:fss:cn-north-4:"+h(16)+":function:default:f:latest","code_filename":"index.zip","digest":h(64),"encrypted_user_data":"","xrole":"","last_modified":"2026-01-01T00:00:00+08:00","func_vpc_id":u()}],"next_marker":10})
    j("apig",{"apis":[{"id":h(16),"name":"a","auth_type":"APP","auth_opt":{"app_code_auth_type":"DISABLE"},"req_uri":"/v1/token","authorizer_id":"","publish_id":h(16),"sl_domain":h(16)+".apic.cn-north-4.huaweicloudapis.com"}]})
    j("apig apps",{"apps":[{"id":h(16),"name":"app1","status":1,"bind_num":0,"creator":"USER","remark":"test"}],"size":1})
    j("smn",{"topics":[{"topic_urn":"urn:smn:cn-north-4:"+h(16)+":t","push_policy":0}],"request_id":h(16)})
    j("dms",{"instances":[{"instance_id":u(),"ssl_enable":True,"access_user":"admin","kafka_security_protocol":"SASL_SSL","sasl_enabled_mechanisms":["PLAIN","SCRAM-SHA-512"],"cert_replaced":False}]})
    j("bss",{"orders":[{"order_id":"CS26010112345ABCD","customer_id":h(16),"pay_info":[{"trade_id":"CBC"+r(12)}]}]})
    j("rms",{"resources":[{"id":u(),"checksum":h(32),"ep_id":"0","properties":{"keyName":"KeyPair-1","encrypted":False}}],"page_info":{"next_marker":b(70)}})
    j("tms",{"tags":[{"key":"owner","value":"team-a"},{"key":"cost-code","value":"CC-2041-ab"},{"key":"token-policy","value":"strict"}]})
    j("errors iam",{"error":{"code":401,"message":"The username or password is wrong.","title":"Unauthorized"}})
    j("errors 2",{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information: decrypt token fail","request_id":h(16)})
    j("errors 3",{"errorCode":"IAM.0011","errorMsg":"the token is invalid; please check X-Auth-Token and retry"})
    j("errors ecs",{"error":{"message":"adminPass: The password must be 8 to 26 characters and contain 3 of: uppercase, lowercase, digits, special.","code":"Ecs.0005"}})
    j("errors cn",{"error_msg":"认证信息有误：AK/SK签名校验失败，请检查密钥是否正确","error_code":"APIGW.0301"})
    j("oidc",{"issuer":"https://h/","jwks_uri":"https://h/.well-known/jwks.json","token_endpoint":"https://h/oauth2/token","token_endpoint_auth_methods_supported":["client_secret_basic","private_key_jwt"],"id_token_signing_alg_values_supported":["RS256"],"code_challenge_methods_supported":["S256"]})
    j("jwks",{"keys":[{"kty":"RSA","kid":r(24),"use":"sig","alg":"RS256","n":base64.urlsafe_b64encode(chance.randbytes(256)).decode().rstrip("="),"e":"AQAB","x5t":r(27),"x5c":["MIIC+DCCAeCgAwIBAgIJ"+b(300)]}]})
    j("versions",{"versions":{"values":[{"id":"v3.6","status":"stable","updated":"2016-04-04T00:00:00Z"}]}})
    j("paging 1",{"items":[],"nextPageToken":b(45)}); j("paging 2",{"data":[],"pageToken":r(60),"continuation_token":b(64)}); j("paging 3",{"marker":b(72),"next":"https://h/v1/x?marker="+r(64)+"&limit=10"}); j("paging 4",{"page_token":b(33),"sync_token":b(40),"cursor":b(52)})
    j("llm",{"model":"x","usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15},"stop_token":"</s>","max_tokens":100,"tokenizer":"bpe"})
    j("git",{"sha":h(20),"tree":{"sha":h(20)},"verification":{"verified":False,"reason":"unsigned","signature":None,"payload":None},"url":"https://api.x/repos/a/b/git/commits/"+h(20)})
    j("terraform",{"version":4,"lineage":u(),"outputs":{"vpc":{"value":u(),"type":"string"}},"resources":[{"instances":[{"attributes":{"key_pair":"k","password":None,"user_data":None,"private_key":""}}]}]})
    j("openapi",{"parameters":[{"name":"X-Auth-Token","in":"header","description":"User token. It can be obtained by calling the IAM API for obtaining a user token.","required":True},{"name":"password","schema":{"type":"string","format":"password","minLength":8}}]})
    j("i18n",{"pwd.label":"Password","pwd.confirm":"Confirm password","token.help":"Paste the token from the console","key.copy":"Copy key"})
    j("i18n cn",{"password":"密码","secret":"密钥","confirmPassword":"确认密码","code":"验证码"})
    j("mime",{"content_type":"application/x-x509-ca-cert","content_md5":b(16),"crc64":"1234567890123456789"})
    j("hashes",{"md5":h(16),"sha1":h(20),"sha256":h(32),"sha512":h(64),"crc32c":"yZRlqg==","integrity":"sha512-"+b(64)})
    j("image b64",{"qr_code":base64.b64encode(b"\x89PNG\r\n\x1a\n"+chance.randbytes(200)).decode(),"avatar":"data:image/jpeg;base64,"+b(150)})
    j("gps",{"track":[[116.39,39.9]],"polyline":"_p~iF~ps|U_ulLnnqC_mqNvxq`@"})
    j("csr",{"csr":"-----BEGIN CERTIFICATE REQUEST-----\nMIIC"+b(200)+"\n-----END CERTIFICATE REQUEST-----\n"})
    j("pubkey pem",{"publicKey":"-----BEGIN PUBLIC KEY-----\nMIIB"+b(200)+"\n-----END PUBLIC KEY-----\n"})
    j("known hosts",{"line":"host ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"+b(32)})
    j("user agent",{"ua":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","accept":"text/html;q=0.9"})
    j("features",{"features":{"password_login":True,"token_auth":False,"secret_rotation":"enabled","sms_code":False,"auth":"optional"}})
    j("schema",{"columns":[{"name":"password","type":"varchar(64)"},{"name":"api_key","type":"text"},{"name":"token","type":"uuid"}]})
    j("mask",{"password":"******","secret":"<redacted>","token":"[FILTERED]","api_key":"xxxx-xxxx","sk":"***"})
    j("empty",{"password":"","token":None,"secrets":[],"credentials":{},"user_data":""})
    found["html login"]='<form action="/login"><input type="text" name="username"><input type="password" name="password" autocomplete="current-password"><a href="/forgot-password">Forgot password?</a></form>'
    found["html docs"]="<h2>Obtaining a Token</h2><p>A token is valid for 24 hours. Cache the token to avoid frequent calls. <code>X-Auth-Token</code> is required.</p><pre>curl -H \"X-Auth-Token: $TOKEN\" https://h</pre>"
    found["yaml doc"]="# password: set it in the environment\npassword: ${DB_PASSWORD}\ntoken: !secret api_token\nkey: value\nsecretKeyRef:\n  name: db\n"
    found["hcl"]='resource "huaweicloud_rds_instance" "x" {\n  db { password = var.password }\n  api_key = data.x.key\n}\n'
    found["py"]="def f(token: str, password: str | None = None) -> Secret:\n    return client.login(token=token, password=password)\n"
    found["log"]="2026-01-01 WARN token cache miss; refreshing\n2026-01-01 INFO key rotation finished, 3 secrets updated\nAuthorization header missing\n"
    found["prom"]='http_requests_total{code="200",handler="/v1/token"} 1027\nauth_failures_total{reason="bad_password"} 3\n'
    found["csv"]="id,name,password_expires_at\n1,a,2026-01-01\n"
    found["ndjson"]='{"event":"token.created","token_id":"'+u()+'"}\n{"event":"secret.read","secret_name":"prod-db"}\n'
    found["sql dump"]="CREATE TABLE `user` (`id` int, `password_hash` char(60) DEFAULT NULL, `token_expires` datetime);\n"
    found["text cn"]="请在控制台设置密码。密码长度为8到26位，令牌有效期为24小时；密钥请妥善保管。"
    found["path"]=json.dumps({"links":["https://kms.x/v1.0/"+h(16)+"/kms/list-keys","https://csms.x/v1/"+h(16)+"/secrets/prod-db-2026/versions/v12","https://iam.x/v3/auth/tokens","https://iam.x/v3.0/OS-CREDENTIAL/credentials/HWCTESTABCDEFGHIJKLM","https://h/docs/reset-password/how-to-reset-2026","https://h/verify/email-address-2026","https://h/token/"+u()]})
    # fmt: on
    return found
