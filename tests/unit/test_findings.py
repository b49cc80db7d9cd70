"""Facts about names that remove nothing: zone, signatures, wildcard, expiry, sharing, moves, filters, disputes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aidns.lookup import findings
from aidns.lookup.findings import FLAGS, WINDOW_DAYS, Facts, Findings, Ownership, flags
from aidns.lookup.outcome import VALIDATED
from aidns.lookup.sites import page_mark
from aidns.lookup.spans import DAY, from_observation, merge_all
from aidns.model import WEB, Observation, Outcome, Parking
from aidns.names import Name
from samples import NOW, catalog

CATALOG = catalog()
HOST, ZONE = Name("api.acme.example"), Name("acme.example")


def say(
    outcome: Outcome,
    name: str = HOST,
    rdtype: str = "A",
    *,
    day: int = 0,
    data: tuple[str, ...] = (),
    chain: tuple[str, ...] = (),
    detail: str = "",
    resolver: str = "9.9.9.9",
) -> Observation:
    subject = Name(chain[-1]) if chain and rdtype != WEB else Name(name)
    return Observation(
        Name(name), rdtype, resolver, outcome, NOW + day * DAY, subject, detail=detail, chain=chain, data=data
    )


def data(name: str, rdtype: str, *items: str, day: int = 0, resolver: str = "9.9.9.9") -> Observation:
    return say(Outcome.DATA, name, rdtype, day=day, data=items, resolver=resolver)


def facts(*seen: Observation, name: str = HOST) -> Facts:
    return Findings(merge_all(map(from_observation, seen)).values(), CATALOG, NOW).of(Name(name))


def test_without_answers_nothing_is_known() -> None:
    assert facts() == Facts(HOST, zone=ZONE)
    assert flags(facts()) == ()


def test_the_latest_answers_of_all_resolvers_are_the_picture() -> None:
    found = facts(
        data(HOST, "A", "192.0.2.9", day=-3),
        data(HOST, "A", "192.0.2.1"),
        data(HOST, "A", "192.0.2.2", resolver="1.1.1.1"),
        data(HOST, "AAAA", "2001:db8::1"),
        data(HOST, "HTTPS", "1 . alpn=h2"),
        data(ZONE, "NS", "ns1.a.net", "ns2.a.net", day=-1),
        data(ZONE, "SOA", "ns1.a.net host.a.net 7 1 2 3 4"),
    )
    assert found.addresses == ("192.0.2.1", "192.0.2.2", "2001:db8::1")
    assert found.services == ("1 . alpn=h2",)
    assert found.name_servers == ("ns1.a.net", "ns2.a.net")
    assert found.soa == ("ns1.a.net", "host.a.net")


def test_what_is_older_than_the_window_is_forgotten() -> None:
    assert facts(data(HOST, "A", "192.0.2.1", day=-WINDOW_DAYS)).addresses
    assert not facts(data(HOST, "A", "192.0.2.1", day=-WINDOW_DAYS - 1)).addresses


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        ([data(ZONE, "DS", "\\# 4 01020304")], "signed"),
        ([say(Outcome.NODATA, ZONE, "DS")], "unsigned"),
        ([say(Outcome.SERVFAIL, detail="SERVFAIL; EDE 6: bad")], "bogus"),
        ([say(Outcome.SERVFAIL, ZONE, "NS", detail="SERVFAIL; EDE 7")], "bogus"),
        ([say(Outcome.SERVFAIL, detail="SERVFAIL; EDE 22: no server")], "unknown"),
        ([say(Outcome.SERVFAIL, day=-2, detail="SERVFAIL; EDE 6"), say(Outcome.NODATA, ZONE, "DS")], "unsigned"),
        ([say(Outcome.DENIED, ZONE, "DS")], "unknown"),
    ],
)
def test_signatures_as_a_stub_sees_them(seen: list[Observation], state: str) -> None:
    assert facts(*seen).dnssec == state
    assert ("bogus" in flags(facts(*seen))) == (state == "bogus")


@pytest.mark.parametrize(
    ("outcomes", "found"),
    [
        ([Outcome.DATA], "data"),
        ([Outcome.NODATA], "nodata"),
        ([Outcome.DENIED], ""),
        ([Outcome.DENIED, Outcome.DATA], "data"),
        ([Outcome.DENIED, Outcome.NODATA], ""),
        ([Outcome.FILTERED], ""),
        ([Outcome.TIMEOUT], ""),
    ],
)
def test_a_random_name_betrays_a_wildcard(outcomes: list[Outcome], found: str) -> None:
    """Data alone is one: signed zones with compact denial have NODATA for every name (RFC 9824)."""
    seen = [say(outcome, f"*.{ZONE}", resolver=f"192.0.2.{n}") for n, outcome in enumerate(outcomes)]
    for name in (HOST, ZONE):
        assert facts(*seen, name=name).wildcard == found
        assert ("wildcard" in flags(facts(*seen, name=name))) == (found == "data")


def test_a_wildcard_that_is_no_more_is_forgotten() -> None:
    seen = [say(Outcome.DATA, f"*.{ZONE}", day=-2), say(Outcome.DENIED, f"*.{ZONE}")]
    assert facts(*seen).wildcard == ""


@pytest.mark.parametrize(
    ("seen", "expired"),
    [
        ([say(Outcome.DENIED, ZONE, "NS", data=("example",))], True),
        ([say(Outcome.DENIED, HOST, data=(".",))], True),
        ([say(Outcome.DENIED, HOST, data=(ZONE,))], False),
        ([say(Outcome.DENIED, ZONE, "NS", data=("example",), day=-2), say(Outcome.NODATA)], False),
        ([say(Outcome.DATA, day=-2), say(Outcome.DENIED, ZONE, "NS", data=("example",))], True),
        ([say(Outcome.DENIED, ZONE, "NS")], False),
        ([say(Outcome.DENIED, chain=("x.gone.net",), data=("net",))], False),
    ],
)
def test_a_denial_from_above_the_zone_means_that_the_domain_expired(seen: list[Observation], expired: bool) -> None:
    for name in (HOST, ZONE):
        assert facts(*seen, name=name).expired == expired
        assert ("expired" in flags(facts(*seen, name=name))) == expired


def test_whose_infrastructure_it_stands_on() -> None:
    found = facts(say(Outcome.DATA, chain=("x.edge.example.org", "login.beta.example"), data=("192.0.2.7",)))
    assert found.chain == ("x.edge.example.org", "login.beta.example")
    assert found.shared == (
        "x.edge.example.org: content delivery of many sites",
        "login.beta.example: listed by beta-search",
    )


def test_an_address_of_another_providers_service_is_shared_one_of_its_own_is_not() -> None:
    others = [data("login.beta.example", "A", "192.0.2.7"), data(ZONE, "A", "192.0.2.7")]
    assert facts(data(HOST, "A", "192.0.2.7"), *others).shared == ("192.0.2.7: also an address of beta-search",)
    assert facts(data(HOST, "A", "192.0.2.7"), others[1]).shared == ()


def test_a_front_door_of_many_is_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MANY", 1)
    seen = [data(HOST, "A", "192.0.2.7"), data("beta.example", "A", "192.0.2.7")]
    assert facts(*seen).shared == ("192.0.2.7: an address of 2 services",)


def test_a_permanent_redirect_out_of_the_services_names_is_a_move() -> None:
    found = facts(say(Outcome.DATA, HOST, WEB, chain=("www.acme.example", "acme-group.example", "new.net"), day=-1))
    assert (found.moved, found.moved_since) == (("new.net",), NOW - DAY)
    assert flags(found) == ("moved",)


@pytest.mark.parametrize("seen", [say(Outcome.DATA, HOST, WEB, data=("new.net",)), say(Outcome.TIMEOUT, HOST, WEB)])
def test_another_redirect_is_none(seen: Observation) -> None:
    assert facts(seen).moved == ()


def test_a_move_to_another_customer_of_the_platform_is_one() -> None:
    tenant, other = "acme.platform.example", "other.platform.example"
    assert facts(say(Outcome.DATA, tenant, WEB, chain=(other,)), name=tenant).moved == (other,)


def test_a_site_that_does_not_answer_today_has_still_moved() -> None:
    assert facts(say(Outcome.DATA, HOST, WEB, chain=("new.net",), day=-1), say(Outcome.TIMEOUT, HOST, WEB)).moved


def test_a_site_that_came_home_has_not_moved() -> None:
    seen = [say(Outcome.DATA, HOST, WEB, chain=("new.net",), day=-1), say(Outcome.DATA, HOST, WEB)]
    assert facts(*seen).moved == ()


def test_a_redirect_to_a_parking_service_parks() -> None:
    found = facts(say(Outcome.DATA, HOST, WEB, chain=("www.parked.example.org",)))
    assert "a parking service" in found.parked
    assert set(flags(found)) == {"moved", "parked"}


def test_a_page_that_shows_a_fingerprint_parks() -> None:
    mark = Parking(match="page", value="Parked by Nobody at all", what="nobody's parking")
    marked = replace(CATALOG, parking=(*CATALOG.parking, mark))

    def found(*data: str) -> Facts:
        return Findings([from_observation(say(Outcome.DATA, HOST, WEB, data=data))], marked, NOW).of(Name(HOST))

    assert found("new.net", page_mark(mark.value)).parked == "nobody's parking (its page shows it)"
    assert set(flags(found(page_mark(mark.value)))) == {"parked"}
    assert found("new.net", mark.value).parked == found().parked == ""


def test_who_says_that_it_checked_signatures_is_named() -> None:
    seen = [say(Outcome.DATA, resolver="1.1.1.1", detail=VALIDATED), say(Outcome.DATA, resolver="9.9.9.9")]
    assert facts(*seen).validated_by == ("1.1.1.1",)


def test_filters_and_disputes_of_the_last_date_are_named() -> None:
    seen = [
        say(Outcome.FILTERED, resolver="10.0.0.53"),
        say(Outcome.DENIED, resolver="1.1.1.1"),
        say(Outcome.DATA, resolver="9.9.9.9"),
        say(Outcome.TIMEOUT, resolver="8.8.8.8"),
    ]
    found = facts(*seen)
    assert found.filtered_by == ("10.0.0.53",)
    assert found.disputed == "denied say 1.1.1.1; exists say 9.9.9.9; filtered say 10.0.0.53"
    assert "disputed" in flags(found)
    assert facts(*seen, say(Outcome.DATA, day=1)).disputed == ""


def test_an_alias_whose_target_is_denied_is_no_dispute() -> None:
    assert facts(say(Outcome.DENIED, chain=("x.net",)), say(Outcome.DATA, resolver="1.1.1.1")).disputed == ""


def test_owners_are_found_by_scope() -> None:
    owners = Ownership(CATALOG)
    assert owners.service("deep.api.acme.example") == "acme-chat"
    assert owners.service("acme.platform.example") == "acme-chat"
    assert owners.service("x.acme.platform.example") == "", "listed exactly"
    assert owners.shared("a.cdn.example.org") == owners.shared("edge.example.org") == "content delivery of many sites"
    assert owners.shared("example.org") == owners.service("example.org") == ""


observations = st.builds(
    say,
    st.sampled_from(list(Outcome)),
    st.sampled_from([HOST, ZONE, f"*.{ZONE}", "login.beta.example"]),
    st.sampled_from(["A", "AAAA", "HTTPS", "NS", "SOA", "DS", WEB]),
    day=st.integers(-40, 3),
    data=st.sampled_from([(), ("192.0.2.1",), ("",), ("1 x.net",), (".",), ("a b 1 2 3 4 5",), ("example",)]),
    chain=st.sampled_from([(), ("x.net",), ("\\200.x", "com"), ("x.edge.example.org",)]),
    detail=st.sampled_from(["", "SERVFAIL; EDE 6", "EDE 12"]),
    resolver=st.sampled_from(["9.9.9.9", "1.1.1.1"]),
)


@given(st.lists(observations, max_size=15), st.randoms(use_true_random=False))
def test_any_history_has_facts_and_order_does_not_matter(seen: list[Observation], dice: object) -> None:
    spans = list(merge_all(map(from_observation, seen)).values())
    found = Findings(spans, CATALOG, NOW).of(HOST)
    assert set(flags(found)) <= set(FLAGS)
    dice.shuffle(spans)  # type: ignore[attr-defined]
    assert Findings(spans, CATALOG, NOW).of(HOST) == found
