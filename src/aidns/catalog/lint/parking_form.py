"""A fingerprint of parking is what it says: a name of a server or an alias, an address or network, text of a page."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from aidns import names
from aidns.catalog.lint.finding import Finding
from aidns.model import Catalog

LEAST_PAGE = 14
"""Characters below which a text might stand on any page."""


def check(catalog: Catalog) -> Iterator[Finding]:
    """Yield fingerprints that could match nothing."""
    for i, parking in enumerate(catalog.parking):
        field = f"parking[{i}].value"
        try:
            if parking.match == "page":
                if len(parking.value) < LEAST_PAGE or not parking.value.isascii():
                    tip = f"write at least {LEAST_PAGE} ASCII characters that only parked pages hold"
                    yield Finding("parking.toml", field, "the text is too short, or not ASCII", tip)
            elif parking.match == "address":
                ipaddress.ip_network(parking.value)
            else:
                names.parse(parking.value)
        except names.InvalidName as error:
            yield Finding("parking.toml", field, error.message, error.tip)
        except ValueError as error:
            yield Finding("parking.toml", field, str(error), "write one address, or a network such as 192.0.2.0/24")
