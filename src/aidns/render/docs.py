"""The page about formats, made from what formats and their consumers declare. Pure text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aidns.render.base import Format
from aidns.render.consumers import CONSUMERS, UNKNOWN, Consumer, Seen, Snippet
from aidns.render.formats import FORMATS

_COLUMNS = ("below a listed name", "types", "aliases (CNAME) of it", "exceptions", "answers")


def formats_page() -> str:
    """Return a table of all consumers, a section for each format and one for each consumer, in Markdown."""
    formats = (_format(fmt) for fmt in FORMATS.values())
    consumers = (_consumer(consumer) for consumer in CONSUMERS.values())
    return "\n\n".join((_overview(), "## Formats", *formats, "## Consumers", *consumers))


def consumers_of(format_id: str) -> list[Consumer]:
    """Return what reads a format."""
    return [consumer for consumer in CONSUMERS.values() if format_id in consumer.formats]


def _overview() -> str:
    head = ("consumer", "format", "measured on", *_COLUMNS)
    rows = [
        (_link(c.title), ", ".join(f"`{f}`" for f in c.formats), *_seen(c))
        for c in CONSUMERS.values()
        if c.seen != Seen()
    ]
    return _table(head, rows)


def _seen(consumer: Consumer) -> tuple[str, ...]:
    seen = consumer.seen
    return consumer.measured or UNKNOWN, seen.subdomains, seen.types, seen.cname, seen.exceptions, seen.answers


def _format(fmt: Format) -> str:
    answers = (
        f"actions: {', '.join(fmt.actions) if fmt.actions else 'as the consumer is set'}",
        f"canary: {fmt.canary}",
    )
    facts = (
        f"what: {fmt.title}",
        f"file: `{fmt.file_name}`",
        f"covers: {fmt.covers}",
        *(() if fmt.allows else answers),
    )
    rows = [(_link(consumer.title), *_seen(consumer)) for consumer in consumers_of(fmt.id)]
    return f"### {fmt.id}\n\n{_list(facts)}\n\n{_table(('read by', 'measured on', *_COLUMNS), rows)}"


def _consumer(consumer: Consumer) -> str:
    facts = (
        f"reads: {', '.join(f'[`{fmt}`](#{fmt})' for fmt in consumer.formats)}",
        f"versions: {consumer.versions}",
        f"measured on: {consumer.measured or 'none'}",
    )
    parts = [f"### {consumer.title}", _list(facts), *consumer.before]
    parts += [text for snippet in consumer.snippets for text in _snippet(snippet)]
    return "\n\n".join((*parts, *([_list(consumer.after)] if consumer.after else [])))


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _link(title: str) -> str:
    """Return a link to the section with this heading."""
    anchor = "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")
    return f"[{title}](#{anchor})"


def _snippet(snippet: Snippet) -> Iterator[str]:
    yield f"{snippet.where[0].upper()}{snippet.where[1:]}:"
    yield f"```{snippet.language}\n{snippet.text}```"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    cells = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in cells)
