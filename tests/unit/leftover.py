"""English that is left over in a Chinese text: words that stand together and are no names, codes or quotations."""

from __future__ import annotations

import re
from collections.abc import Iterator

# What the cloud itself says, literally, and what Python, pytest and client libraries say: nobody translates it.
QUOTED = (
    "do not have the required roles, forbidden to perform this action.",
    "do not have the required roles",
    "x-auth-token not found",
    "Name or service not known",
    "Incorrect IAM authentication information",
    "verify aksk signature fail",
    "decrypt token fail",
    "short test summary info",
    "Expecting value",
    "Is a directory",
    "No such file or directory",
    "did not find expected node content",
    "No newline at end of file",
    "Contact the main account to obtain permission.",
)
# pytest's own lines, source code of the user's tests, and code.
_OTHERS = (
    r"^=+ .*(?:session starts|FAILURES|ERRORS|passed|failed|errors?|warnings|no tests ran|summary info).* =+$",
    r"^_+ .* _+$",
    r"^-+ (?:Captured .*|generated xml file.*) -+$",
    r"^(?:platform|rootdir:|configfile:|cachedir:|plugins:|collect(?:ed|ing)|asyncio:) .*$",
    r"^(?:FAILED|ERROR|SKIPPED|PASSED|XFAIL|XPASS) .*?(?= - |$)",
    r"^\S+\.py [.FEsxX]+ *\[ *\d+%\]$",
    r"^\S+:\d+: in \S+$",
    r"^    (?! ).*$",  # source below a place
    r"^(?:E   )?(?:Failed|\w*Error|\w*Exception|NotRecorded): ",
    r"^.*Error while loading conftest.*$",
    r"^\d+ (?:passed|failed|error|skipped|xfailed|deselected|warning).*$",
    r"^Interrupted: .*$|^!+ .* !+$",
    r"^\s*\^+$",
    r"^(?:E   )?assert .*$|^E +\+ +where .*$|^E +(?:Left|Right) contains .*$|^E +\.\.\.Full output truncated.*$",
    r"^The above exception was .*$|^During handling of .*$|^All traceback entries are hidden.*$",
    r"^.*Max retries exceeded with url.*$|^E +\S+: HTTPSConnection\(.*$",
    r"^ *[^→]* → ",  # the documented message in front of its fix
)
_NAMES = re.compile(
    r"`[^`]*`|\"[^\"]*\"|'[^']*'|“[^”]*”"  # what is quoted
    r"|https?://\S+|\{[^{}]*\}|\[[^\[\]]*\]|<[^<>]*>"
    r"|(?:pytest(?:-hwcloud)?|pip|git)(?: [\w./:=\[\]'\"{}$*-]+)+"  # a command
    r"|\w+(?:\.\w+)*\([^()]*\)"  # a call
    r"|--?\w[\w-]*(?:=\S*)?"
    r"|\b(?:GET|POST|PUT|PATCH|DELETE|HEAD) \w[\w-]* /\S*"
    r"|\b(?:GET|POST|PUT|PATCH|DELETE|HEAD)\b"
    r"|[\w.+-]*[./:@_\d=]\w*[\w./:@=*-]*"  # paths, actions, codes, files
    r"|\b[a-z]+(?:-[a-z]+)+\b"  # names of rules, cassettes and regions
    r"|(?:\b[a-z]+, ){2,}[a-z]+\b"  # a list of names
)
_WORDS = re.compile(r"\b[A-Za-z][a-z']+\b(?:,? (?:[a-z][a-z']*|[A-Z][a-z']+)\b)+")
# Values of options and fields, names of products: two may stand beside each other.
KNOWN = frozenset((
    "replay", "record", "live", "missing", "all", "report", "off", "enforce", "check", "update", "changed",
    "refuse", "answer", "allow", "deny", "unknown", "default", "body", "key", "query", "header", "terraform",
    "plan", "en", "zh", "json", "sarif", "md", "html", "ecs", "iam", "vpc", "hwcloud", "pytest", "fixture",
    "regional", "global", "project", "domain", "token", "network", "scope", "authentication", "authorization",
    "service", "true", "false", "null", "aksk", "servers", "list", "get", "read", "write", "create", "dns", "none",
    "Token", "Webhook", "Cookie", "Python", "Web", "Basic", "Bearer", "Keystone", "Node", "Huawei", "Cloud",
    "Action", "Effect", "Resource", "Statement", "Version", "rule", "match", "reason", "until", "ak", "sk",
    "Condition", "Allow", "Deny", "Authorization", "tests", "interactions", "request", "response", "metadata",
    "fault", "connect", "timeout", "tls",
))  # fmt: skip


def english(text: str) -> Iterator[str]:
    """Every run of two or more English words, with its line."""
    for line in text.splitlines():
        bare = line
        for pattern in _OTHERS:
            bare = re.sub(pattern, "", bare)
        for quoted in QUOTED:
            bare = bare.replace(quoted, "·")
        bare = _NAMES.sub("·", _NAMES.sub("·", bare))
        for found in _WORDS.finditer(bare):
            words = [word for word in re.findall(r"[A-Za-z']+", found[0]) if word not in KNOWN]
            if len(words) >= 2:
                yield f"{found[0]!r} in {line.strip()!r}"
