"""Synthetic lists that look like published ones: many trees, repeats in other spellings, some rubbish. Seeded.

Of the lines 48 % are registrable names, 31 % hosts of one to four labels below zones drawn by Zipf's law, 15 % lie
below a name already listed, 5 % repeat one in capitals or with a final dot, 0.4 % are raw U-labels, 0.6 % are invalid
or comments.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import accumulate

TLDS = ("com",) * 46 + ("net",) * 8 + ("org",) * 6 + ("ru", "de", "xyz", "info", "top", "online", "co.uk", "io") * 3 + (
    *("fr", "it", "nl", "pl", "br", "com.br", "cn", "jp", "co.jp", "in", "site", "club", "shop", "app", "dev", "ai"),
)  # fmt: skip
HOSTS = ("www", "ads", "track", "m", "cdn", "api", "stats", "img", "click", "mail", "static", "go", "links", "s1", "eu")
SYLLABLES = tuple(a + b for a in "bcdfghjklmnprstvwz" for b in ("a", "e", "i", "o", "u", "er", "in", "on"))
IDN = ("bücher", "müller", "пример", "магазин", "español", "café", "straße", "例え", "ελλάδα", "naïve")
RUBBISH = (
    *("# comment", "! comment", "", "192.0.2.17", "a..example.com", "-x.example.com", "x-.example.com", "localhost"),
    *("exa mple.com", "http://example.com/", "*", "example.123"),
)
ZONES = 20_000


def lines(count: int, seed: int = 1) -> Iterator[str]:
    """Yield `count` lines of a list of plain names."""
    rng = random.Random(seed)
    zones = [_registrable(rng) for _ in range(ZONES)]
    weights = list(accumulate(1 / (rank + 1) for rank in range(ZONES)))
    listed: list[str] = []
    for _ in range(count):
        draw = rng.random()
        if draw < 0.48 or not listed:
            name = _registrable(rng)
        elif draw < 0.79:
            name = f"{_host(rng, rng.choices((1, 2, 3, 4), (70, 22, 6, 2))[0])}.{_drawn(rng, zones, weights)}"
        elif draw < 0.94:
            name = f"{_host(rng, 1)}.{rng.choice(listed)}"
        elif draw < 0.99:
            name = rng.choice(listed)
            yield name.upper() if rng.random() < 0.5 else f"{name}."
            continue
        elif draw < 0.994:
            yield f"{_label(rng)}.{rng.choice(IDN)}{rng.randrange(500)}.{rng.choice(TLDS)}"
            continue
        else:
            yield rng.choice(RUBBISH)
            continue
        listed.append(name)
        yield name


SHAPES: dict[str, Callable[[str], str]] = {
    "plain": lambda name: f"{name}\n",
    "hosts": lambda name: f"0.0.0.0 {name}\n",
    "adblock": lambda name: f"||{name}^\n",
    "crlf": lambda name: f"{name}\r\n",
    "absolute": lambda name: f"{name.rstrip('.')}.\n",
}
"""How the same names are written in other kinds of lists; comments stay as they are."""


def shaped(shape: str, count: int, seed: int = 1) -> Iterator[str]:
    """Yield the lines of a list in one of SHAPES, with their line ends."""
    write = SHAPES[shape]
    end = "\r\n" if shape == "crlf" else "\n"
    for line in lines(count, seed):
        yield write(line) if line and line[0] not in "#!" else line + end


def _registrable(rng: random.Random) -> str:
    return f"{_label(rng)}.{rng.choice(TLDS)}"


def _label(rng: random.Random) -> str:
    word = "".join(rng.choices(SYLLABLES, k=rng.choice((2, 3, 3, 4, 4, 5))))
    draw = rng.random()
    if draw < 0.08:
        return f"{word}-{rng.choice(SYLLABLES)}{rng.choice(SYLLABLES)}"
    return f"{word}{rng.randrange(1000)}" if draw < 0.2 else word


def _host(rng: random.Random, labels: int) -> str:
    parts = []
    for _ in range(labels):
        word = rng.choice(HOSTS)
        parts.append(word if rng.random() < 0.3 else f"{word}{rng.choice(SYLLABLES)}{rng.randrange(100)}")
    return ".".join(parts)


def _drawn(rng: random.Random, zones: list[str], weights: list[float]) -> str:
    return rng.choices(zones, cum_weights=weights)[0]
