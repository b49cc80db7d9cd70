"""From a block set to one finished file. [I/O: reads the template]"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from aidns import names
from aidns.data import read_regular, shipped
from aidns.errors import DataError
from aidns.model import Artefact, BlockSet, Catalog, Verdict
from aidns.names import Name
from aidns.render import header
from aidns.render.base import (
    Action,
    EmptyList,
    Format,
    Row,
    check_rows,
    choose_action,
    client_networks,
    listed_canary,
)
from aidns.render.rpz import DEFAULT_ZONE_LENGTH, NEGATIVE, OWN_SOA_RNAME, PASSTHRU, records

if TYPE_CHECKING:
    import jinja2

MAX_TEMPLATE = 1 << 20
"""Octets of a user's template."""
_HEAD_LINE = "Header: a line of the header"
ANY_HEAD = (_HEAD_LINE,) * 64
"""Stands for the header, which the digest leaves out, in a user's template that may pick lines of it."""

NUMBER = "\x01"
"""Stands for the number of a line, which follows from the lines before it; no name and no header can hold it."""

Version = Callable[[str], tuple[int, int]]
"""digest -> (serial, time of last modification), by what is published."""


def render(
    fmt: Format,
    blockset: BlockSet,
    catalog: Catalog,
    verdicts: Mapping[Name, Verdict],
    version: Version,
    template: Path | None = None,
    zone_length: int = DEFAULT_ZONE_LENGTH,
) -> Artefact:
    """Return the artefact of one block set in one format.

    Raises Inexpressible when the format cannot express the policy, UnsafeError when the list would be empty,
    DataError for a template that fails.
    """
    action = choose_action(fmt, blockset)
    body = fmt.lower(blockset, action, zone_length)
    if not body.rows and not fmt.allows:
        where = f" in scope {blockset.client_scope}" if blockset.client_scope else ""
        if blockset.minimal and body.weakened:
            lost = (
                f"nothing that policy {blockset.policy.id} blocks{where} is left in {fmt.id}: {body.weakened[0].note}"
            )
            raise EmptyList(lost, tip="use --format rpz, which keeps it")
        raise EmptyList(f"policy {blockset.policy.id} blocks nothing{where}", tip="look at its exceptions")
    check_rows(body.rows)
    sheet = Sheet(fmt, blockset, action, template)
    content = content_of(_without_head(sheet.text(body.rows, ANY_HEAD)) if template else sheet.text(body.rows), fmt)
    digest = hashlib.sha256(f"{sheet.id}\n{content}".encode()).hexdigest()
    serial, modified = version(digest)
    head = header.lines(fmt, blockset, action, body, catalog, verdicts, serial, modified, content.count("\n"))
    text = check_text(sheet.text(body.rows, head, serial), sheet.id)
    if not fmt.allows and _says_nothing(content, fmt):
        raise DataError(f"template {sheet.id} writes nothing but comments", tip="write a line for each of `rows`")
    return Artefact(
        policy=blockset.policy.id,
        client_scope=blockset.client_scope,
        format=fmt.id,
        path=path_of(fmt, blockset),
        text=text,
        digest=digest,
        serial=serial,
        services=len({blockset.origins.get(row.name) for row in body.rows} & catalog.services.keys()),
        names=len(body.rows),
        lines=content.count("\n"),
        weakened=body.weakened,
        action=action.name,
        clients=header.clients(blockset),
        entries=tuple(sorted(body.entries)),
    )


class Sheet:
    """A format's template for one block set, with everything in its place but rows, header and serial.

    Raises DataError for a template that cannot be read.
    """

    def __init__(self, fmt: Format, blockset: BlockSet, action: Action, template: Path | None = None) -> None:
        self._template, self.id = _template(fmt, template)
        self._context = _context(fmt, blockset, action)

    def text(self, rows: tuple[Row, ...], head: tuple[str, ...] = (), serial: int = 0) -> str:
        """Return the file with these rows, which `check_rows` has passed. Raises DataError when the template fails."""
        text = self.unnumbered(rows, head, serial)
        return numbered(text.encode("utf-8", "surrogatepass"), itertools.count(1)).decode("utf-8", "surrogatepass")

    def unnumbered(self, rows: tuple[Row, ...], head: tuple[str, ...] = (), serial: int = 0) -> str:
        """Return the same with NUMBER where the template numbers lines."""
        try:
            return self._template.render(header=head, serial=serial, rows=rows, **self._context)
        except Exception as error:  # a user's template can raise anything
            raise DataError(f"template {self.id}: {names.printable(str(error))}") from None


def _context(fmt: Format, blockset: BlockSet, action: Action) -> dict[str, object]:
    """Return what a template sees besides `rows`, `header` and `serial`."""
    return {
        "canary": listed_canary(fmt, blockset),
        "soa_rname": OWN_SOA_RNAME,
        "number": NUMBER,
        "policy": {
            "id": blockset.policy.id,
            "title": names.ascii_line(blockset.policy.title),
            "scope": names.ascii_line(blockset.client_scope),
            "networks": client_networks(blockset),
        },
        "action": action.name,
        "records": {"block": records(action), "negative": NEGATIVE, "pass": PASSTHRU},
    }


def numbered(text: bytes, numbers: Iterator[int]) -> bytes:
    """Return a text with the next numbers where NUMBER stands."""
    mark = NUMBER.encode()
    needed = tuple(itertools.islice(numbers, text.count(mark)))
    return text.replace(b"%", b"%%").replace(mark, b"%d") % needed if needed else text


def path_of(fmt: Format, blockset: BlockSet) -> str:
    """Return where a build puts the file: `policy/file`, with the scope between where the policy has several."""
    several = len(blockset.policy.scope) > 1
    return "/".join((blockset.policy.id, *([blockset.client_scope] if several else []), fmt.file_name))


def _template(fmt: Format, user_template: Path | None) -> tuple[jinja2.Template, str]:
    from jinja2 import TemplateSyntaxError

    if user_template is None:
        source, label = shipped("templates").joinpath(fmt.template).read_text("utf-8"), fmt.template
    else:
        source, label = _own_template(user_template), str(user_template)
    try:
        compiled = _compiled(source)
    except TemplateSyntaxError as error:
        raise DataError(f"template {label}, line {error.lineno}: {error.message}") from None
    except (RecursionError, MemoryError, SyntaxError, ValueError) as error:  # what Python's compiler cannot take
        raise DataError(f"template {label} is too deep: {names.printable(str(error))}", tip="flatten it") from None
    return (
        compiled,
        f"{label if user_template is None else user_template.name}:{hashlib.sha256(source.encode()).hexdigest()[:16]}",
    )


@cache
def _compiled(source: str) -> jinja2.Template:
    """Compile each template once: that costs more than most lists that are made with it."""
    from jinja2 import StrictUndefined  # takes as long as click: a command that writes no list goes without
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.from_string(source)


def _own_template(file: Path) -> str:
    data = read_regular(file, MAX_TEMPLATE)
    if len(data) > MAX_TEMPLATE:
        raise DataError(f"template {file} has more than {MAX_TEMPLATE} octets")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"template {file} is not UTF-8 at octet {error.start}", tip="save it as UTF-8") from None


def content_of(text: str, fmt: Format) -> str:
    """Return the lines that are no comments."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(fmt.comment))


def _without_head(text: str) -> str:
    """Return the text without the lines that say a line of `ANY_HEAD` and nothing else, whatever marks it bears."""
    return "".join(
        line
        for line in text.splitlines(keepends=True)
        if _HEAD_LINE not in line or any(character.isalnum() for character in line.replace(_HEAD_LINE, ""))
    )


def _says_nothing(content: str, fmt: Format) -> bool:
    marks = (fmt.comment, "#", ";", "!", "//")
    return all(not line.strip() or line.lstrip().startswith(marks) for line in content.splitlines())


def check_text(text: str, template_id: str) -> str:
    """Return the text if every consumer can read it: ASCII, no control but LF, a final newline.

    Raises DataError.
    """
    wrong = ""
    if not text.isascii():
        wrong = "holds characters outside ASCII"
    elif any((c < " " and c != "\n") or c == "\x7f" for c in text):
        wrong = "holds control characters"
    elif not text.endswith("\n"):
        wrong = "does not end with a newline"
    if wrong:
        raise DataError(f"template {template_id}: what it wrote {wrong}", tip="write plain ASCII lines that end in LF")
    return text
