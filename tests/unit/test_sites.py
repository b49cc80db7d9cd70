"""Which web sites are worth a look."""

from __future__ import annotations

from aidns.lookup.sites import OBSERVER, due
from aidns.lookup.spans import DAY, from_observation
from aidns.model import WEB, Observation, Outcome
from aidns.names import Name
from samples import NOW, catalog

CATALOG = catalog()
WEBSITE, API, BETA = Name("acme.example"), Name("api.acme.example"), Name("beta.example")


def say(
    name: Name, outcome: Outcome = Outcome.DATA, rdtype: str = "A", *, at: int = NOW, place: str = ""
) -> Observation:
    return Observation(name, rdtype, OBSERVER if rdtype == WEB else "9.9.9.9", outcome, at, name, vantage=place)


def to_visit(*seen: Observation, place: str = "", everything: bool = False) -> tuple[Name, ...]:
    spans = [from_observation(one) for one in seen]
    return due(CATALOG, (BETA, WEBSITE, API), spans, NOW, place, everything=everything)


def test_sites_that_people_open_and_that_have_an_address_are_visited() -> None:
    assert to_visit(say(WEBSITE), say(API)) == (WEBSITE,), "an interface redirects for reasons of its own"


def test_others_are_not() -> None:
    old, ahead = say(WEBSITE, at=NOW - 3 * DAY), say(WEBSITE, at=NOW + DAY)
    assert to_visit(old, ahead, say(WEBSITE, Outcome.NODATA), say(WEBSITE, Outcome.FILTERED)) == ()
    assert to_visit(say(WEBSITE, rdtype="NS")) == ()


def test_what_was_seen_today_from_here_is_not_visited_again_unless_told() -> None:
    seen = (say(WEBSITE), say(WEBSITE, rdtype=WEB))
    assert to_visit(*seen) == ()
    assert to_visit(*seen, place="eu") == to_visit(*seen, everything=True) == (WEBSITE,)
    assert to_visit(say(WEBSITE), say(WEBSITE, Outcome.TIMEOUT, WEB)) == (WEBSITE,), "it did not answer"
