"""What the permission facts say in words (titles, notes) or leave to a well known API, written as tests on the request.

Each rule adds a test to entries of sources/permissions; none adds or removes an action.
"""

from __future__ import annotations

Rule = dict[str, object]

# An entry without a discriminator, known by its only action or its title, and what its body looks like.
# Sources: OpenStack compute and block storage API references (the titles: "OpenStack native", "OpenStack Cinder");
# OTC evs api-ref "Batch Adding Tags" (action: create or delete). TMS: the tag API that all services share (api-dc
# BatchCreateResourceTags: "TMS may use this API", action create or delete); another body decides nothing. GES: the URIs
# of its API reference (github:huaweicloudDocs/ges@fbb02e7, cn.zh-cn/API参考), which has none for the forced restart.
DISCRIMINATORS: list[tuple[str, str, str, Rule]] = [
    ("ecs", "/servers/{server_id}/action", "Rebuilding an ECS", {"body_key": "rebuild"}),
    ("ecs", "/servers/{server_id}/action", "Adding an ECS to a security group", {"body_key": "addSecurityGroup"}),
    ("evs", "/volumes/{volume_id}/action", "扩容云硬盘", {"body_key": "os-extend"}),
    ("evs", "/volumes/{volume_id}/action", "将云硬盘导出为镜像", {"body_key": "os-volume_upload_image"}),
    ("evs", "/volumes/{volume_id}/action", "挂载云硬盘", {"body_key": "os-attach"}),
    ("evs", "/volumes/{volume_id}/action", "卸载云硬盘", {"body_key": "os-detach"}),
    ("evs", "/volumes/{volume_id}/action", "保留云硬盘", {"body_key": ["os-reserve", "os-unreserve"]}),
    (
        "evs",
        "/volumes/{volume_id}/action",
        "设置云硬盘启动盘标识",
        {"body_key": ["os-set_bootable", "os-update_readonly_flag"]},
    ),
    ("evs", "/os-vendor-volumes/{volume_id}/tags/action", "Batch delete tags", {"body": {"action": "delete"}}),
    ("evs", "/os-vendor-volumes/{volume_id}/tags/action", "Batch add tags", {"body": {"action": "create"}}),
    ("tms", "/v1.0/{resource_type}/{resource_id}/tags/action", "创建资源标签", {"body": {"action": "create"}}),
    ("tms", "/v1.0/{resource_type}/{resource_id}/tags/action", "删除资源标签", {"body": {"action": "delete"}}),
    (
        "dli",
        "/authorization",
        "Removing job permissions of a specified user",
        {"words": "when job permissions of a user are removed"},
    ),
    *(
        ("ges", "/graphs/{graph_id}/action", title, {"query_value": {"action_id": name}})
        for title, name in {
            "绑定EIP": "bindEip",
            "清空图": "clear-graph",
            "解绑EIP": "unbindEip",
            "导出图": "export-graph",
            "增量导入图": "import-graph",
            "启动图": "start",
            "关闭图": "stop",
            "升级图": "upgrade",
        }.items()
    ),
    ("ges", "/graphs/{graph_id}/action", "强制重启图", {"words": "when the restart of the graph is forced"}),
    ("obs", "/{object_key}", "Copying an Object", {"header": "x-obs-copy-source"}),
]

# Query parameters of OBS templates that refine an operation but do not choose it.
OBS_OPTIONAL = {"max-uploads", "max-parts", "part-number-marker", "position", "length", "name"}

# Operations of huaweicloudsdkobs whose path does not tell them: the entries that they are, and those without an entry
# with the query parameter that they send.
OBS_OPERATIONS = {
    "Deleting Objects": "DeleteObjects",
    "Obtaining Bucket Metadata": "GetBucketMetadata",
    "Querying Object Metadata": "HeadObject",
}
OBS_QUERIES = {
    "DeleteBucketPublicAccessBlock": "publicAccessBlock",
    "DeleteDisPolicy": "disPolicy",
    "GetBucketPolicyPublicStatus": "policyStatus",
    "GetBucketPublicAccessBlock": "publicAccessBlock",
    "GetBucketPublicStatus": "bucketStatus",
    "GetDisPolicy": "disPolicy",
    "SetBucketPublicAccessBlock": "publicAccessBlock",
    "SetDisPolicy": "disPolicy",
}

# Services whose {project_id} is a project of their own (CodeArts) and whose {tenant_id} is no project of IAM.
OWN_PROJECTS = {
    "codeartsartifact",
    "codeartsbuild",
    "codeartscheck",
    "codeartsdeploy",
    "codeartspipeline",
    "codeartsrepo",
    "identitycenterstore",
    "projectman",
}

_NEW_EIP: list[object] = [{"has": "server.publicip.eip"}, "when a new elastic IP is created with the server"]
_OLD_EIP: list[object] = [{"has": "server.publicip.id"}, "when an existing elastic IP is bound to the server"]

# service, path, action -> [test (None: no request shows it), when it is needed]; the note of the entry says so.
# Body keys: EVS api-ref evs_04_2065 (volume.imageRef, volume.snapshot_id); IMS quick import: type is DataImage for data
# disks, where it must be given (huaweicloudsdkims QuickImportImageByFileRequestBody).
WHEN: list[tuple[str, str, dict[str, list[object]]]] = [
    ("ecs", "/v1/{project_id}/cloudservers", {"vpc:publicIps:create": _NEW_EIP, "vpc:publicIps:update": _OLD_EIP}),
    ("ecs", "/v1.1/{project_id}/cloudservers", {"vpc:publicIps:create": _NEW_EIP, "vpc:publicIps:update": _OLD_EIP}),
    (
        "evs",
        "/v2/{project_id}/volumes",
        {
            "ims:images:get": [{"has": "volume.imageRef"}, "when the disk is created from an image"],
            "evs:snapshots:get": [{"has": "volume.snapshot_id"}, "when the disk is created from a snapshot"],
        },
    ),
    (
        "ims",
        "/v2/cloudimages/quickimport/action",
        {
            "ims:dataImages:create": [{"body": {"type": "DataImage"}}, "when a data disk image is imported"],
            "ims:serverImages:create": [
                {"not": {"body": {"type": "DataImage"}}},
                "when a system disk image is imported",
            ],
        },
    ),
    (
        "ims",
        "/v2/cloudimages/{image_id}",
        {"ims:serverImages:create": [{"text": "enterprise_project"}, "when the image moves to an enterprise project"]},
    ),
]

# A condition that lies in the account and in no request: the action stays needed, and the note says when it is not.
NOTES = {
    (
        "ims",
        "CopyImageInRegion",
    ): "ims:serverImages:create is required only for users who have enabled enterprise projects",
}

# Deprecated EVS tag API: a row names the actions of disks, backups and snapshots; {resource_type} tells which is meant
# (volumes, snapshots or backups: OTC evs api-ref evs_04_2038).
EVS_TAGS = "/os-vendor-tags/{resource_type}"
EVS_TAG_TYPES = {"volumes": "evs:volumeTags:", "backups": "evs:backupTags:", "snapshots": "evs:snapshotTags:"}

# Notes that say: no permission is needed. Tokens are asked for with the credentials in the body.
NO_PERMISSION = (
    r'^documented as: "(None|无|N/A|-|No authorization required)"$|authenticates by the credentials in its body'
)

# Calls on which documents list several permissions, one of which a request needs: service, path, action -> its test.
# Body values: the request models of the official SDK packages (apig ApiActionInfo, TagsReq of apig and nat, dli
# QueueActionReq and CatalogActionRequest); ModelArts "UpdateService": `status` starts or stops the service.
CHOICES: dict[tuple[str, str, str], Rule] = {
    ("apig", "/v2/{project_id}/apigw/instances/{instance_id}/apis/action", "apig:apis:publish"): {
        "body": {"action": "online"}
    },
    ("apig", "/v2/{project_id}/apigw/instances/{instance_id}/apis/action", "apig:apis:offline"): {
        "body": {"action": "offline"}
    },
    ("apig", "/v2/{project_id}/apigw/instances/{instance_id}/instance-tags/action", "apig:instanceTags:create"): {
        "body": {"action": "create"}
    },
    ("apig", "/v2/{project_id}/apigw/instances/{instance_id}/instance-tags/action", "apig:instanceTags:delete"): {
        "body": {"action": "delete"}
    },
    (
        "nat",
        "/v3/{project_id}/private-nat-gateways/{resource_id}/tags/action",
        "nat:privateNatGatewayTags:create",
    ): {"body": {"action": "create"}},
    (
        "nat",
        "/v3/{project_id}/private-nat-gateways/{resource_id}/tags/action",
        "nat:privateNatGatewayTags:delete",
    ): {"body": {"action": "delete"}},
    ("nat", "/v3/{project_id}/transit-ips/{resource_id}/tags/action", "nat:transitIpTags:create"): {
        "body": {"action": "create"}
    },
    ("nat", "/v3/{project_id}/transit-ips/{resource_id}/tags/action", "nat:transitIpTags:delete"): {
        "body": {"action": "delete"}
    },
    ("dli", "/v1.0/{project_id}/queues/{queue_name}/action", "dli:queue:restart"): {"body": {"action": "restart"}},
    ("dli", "/v1.0/{project_id}/queues/{queue_name}/action", "dli:queue:scaleQueue"): {
        "any": [{"body": {"action": "scale_out"}}, {"body": {"action": "scale_in"}}]
    },
    ("dli", "/v3/{project_id}/catalogs/action", "dli:catalog:bind"): {"body": {"action": "bind"}},
    ("dli", "/v3/{project_id}/catalogs/action", "dli:catalog:unbind"): {"body": {"action": "unbind"}},
    ("modelarts", "/v1/{project_id}/services/{service_id}", "modelarts:service:action"): {"has": "status"},
    ("modelarts", "/v1/{project_id}/services/{service_id}", "modelarts:service:update"): {"not": {"has": "status"}},
}
