"""An oracle of how Pi-hole reads a list (gravity, FTL 6.2 to 6.4) and matches names; nothing of the renderer is used.

Written from observations of a real Pi-hole; `fixtures/gravity-ftl-6.4.1.json` holds 292 of its verdicts.
"""

from __future__ import annotations

import re
import socket

LOCAL_NAMES = frozenset(
    b"localhost localhost.localdomain local broadcasthost ip6-localhost ip6-loopback ip6-localnet ip6-mcastprefix "
    b"ip6-allnodes ip6-allrouters ip6-allhosts".split()
)


def judge(line: bytes, allow: bool) -> tuple[list[bytes], int]:
    """Return the entries accepted from one line of a block or allow list, and the number of invalid tokens."""
    line = line.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n").removesuffix(b"\r")
    line = line.split(b"\0", 1)[0].rstrip(b" \t\n\v\f\r")
    if not line or line[:1] in b"!#;[" or re.match(rb"[^#]+#[#$@?%]", line):
        return [], 0
    marked = line[:1] == (b"@" if allow else b"|")
    accepted, invalid = [], 0
    for token in re.split(rb"[ \t]+", line.split(b"#", 1)[0].strip(b" \t")):
        if _is_address(token) or not (token := token.removesuffix(b".").lower()):
            continue
        tree = re.fullmatch(rb"@@\|\|(.*)\^" if allow else rb"\|\|(.*)\^", token, re.DOTALL)
        if (not marked and b"." in token and _is_domain(token)) or (tree and _is_domain(tree[1])):
            accepted.append(token)
        elif token not in LOCAL_NAMES:
            invalid += 1
    return accepted, invalid


def _is_domain(name: bytes) -> bool:
    if not 1 <= len(name) <= 255 or not re.fullmatch(rb"[A-Za-z0-9._-]+", name) or name.endswith(b"-"):
        return False
    *labels, last = name.removesuffix(b".").split(b".")
    return all(1 <= len(label) <= 63 for label in labels) and bool(last) and not last.startswith(b"-")


def _is_address(token: bytes) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, token.decode("latin-1"))
        except OSError:
            continue
        return True
    return False


class PiHole:
    """A Pi-hole that subscribes one block list and one allow list: an allow entry beats every block entry."""

    def __init__(self, block_text: str, allow_text: str = "") -> None:
        self.block = _entries(block_text, allow=False)
        self.allow = _entries(allow_text, allow=True)

    def blocked(self, name: str) -> bool:
        """Tell whether gravity blocks a name."""
        return _matches(self.block, "||", name) and not _matches(self.allow, "@@||", name)


def _entries(text: str, *, allow: bool) -> set[str]:
    return {entry.decode() for line in text.encode().split(b"\n") for entry in judge(line, allow)[0]}


def _matches(entries: set[str], mark: str, name: str) -> bool:
    labels = name.lower().split(".")
    trees = (f"{mark}{'.'.join(labels[i:])}^" for i in range(len(labels)))
    return name.lower() in entries or any(tree in entries for tree in trees)
