"""Small artefacts, wishes and output trees for the tests of publishing."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

from aidns.model import Artefact, Weakened
from aidns.names import Name
from aidns.publish.apply import Receipt, apply
from aidns.publish.manifest import Desired, Failure, Manifest, VerdictInfo
from aidns.publish.plan import Plan, Request, plan
from aidns.publish.published import read
from aidns.publish.serials import stamp

NOW = 1_763_780_000
DAY = 86_400


def hosts(count: int, apex: str = "example.ai") -> list[str]:
    return [f"h{number:03d}.{apex}" for number in range(count)]


def artefact(
    names: Iterable[str],
    *,
    policy: str = "deepseek-org",
    form: str = "pihole",
    path: str = "",
    header: str = "one",
    published: Manifest | None = None,
    now: int = NOW,
    weakened: tuple[Weakened, ...] = (),
    allow: Iterable[str] = (),
) -> Artefact:
    """Render names as the real renderer does: digest over the content alone, then serial and time into the header."""
    path = path or f"{policy}/{form}.txt"
    entries = sorted([f"block subtree {name}" for name in names] + [f"allow subtree {name}" for name in allow])
    content = "".join(f"{entry}\n" for entry in entries)
    digest = hashlib.sha256(content.encode()).hexdigest()
    serial, modified = stamp(published, path, digest, now)
    return Artefact(
        policy=policy,
        client_scope="",
        format=form,
        path=path,
        text=f"# {header}, serial {serial}, last modified {modified}\n{content}",
        digest=digest,
        serial=serial,
        services=1,
        names=len(entries),
        lines=len(entries),
        weakened=weakened,
        action="nxdomain",
        entries=tuple(entries),
    )


class Shop:
    """An output directory together with what is wanted in it: `lists` maps (policy, format) to names."""

    def __init__(self, out: Path, lists: dict[tuple[str, str], list[str]]) -> None:
        self.out = out
        self.lists = lists
        self.header = "one"
        self.gone: list[str] = []
        self.failures: dict[str, str] = {}
        self.protected: list[str] = []

    def desired(self, published: Manifest, now: int) -> Desired:
        return Desired(
            artefacts=tuple(
                artefact(names, policy=policy, form=form, header=self.header, published=published, now=now)
                for (policy, form), names in self.lists.items()
            ),
            failures=tuple(Failure(policy, reason) for policy, reason in self.failures.items()),
            verdicts=VerdictInfo(state_at=now - 60, counts={"live": 3}, gone=tuple(map(Name, self.gone))),
            protected=tuple(map(Name, self.protected)),
        )

    def plan(self, now: int = NOW, **request: object) -> Plan:
        published = read(self.out)
        asked = Request(version="1.0", catalogue=tuple({policy for policy, _ in self.lists}), **request)  # type: ignore[arg-type]
        return plan(published, self.desired(published.manifest, now), asked, now)

    def build(self, now: int = NOW, **request: object) -> Receipt:
        return apply(self.plan(now, **request), self.out)


def tree(directory: Path) -> dict[str, bytes]:
    """Return every file below a directory with its bytes, the heartbeat left out."""
    real = directory.resolve()
    files = (path for path in real.rglob("*") if path.is_file() and path.name != "status.json")
    return {str(path.relative_to(real)): path.read_bytes() for path in files}


def sums_hold(directory: Path) -> bool:
    """Tell whether coreutils accept the build's SHA256SUMS."""
    run = subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=directory, check=False)
    return run.returncode == 0
