"""What an answer means: only a denial without any doubt is a proof."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aidns.lookup.outcome import MAX_CHAIN, OWN_SOA_RNAME, VALIDATED, classify
from aidns.model import Outcome
from aidns.names import Name, at_or_below
from aidns.render import rpz
from aidns.wire import Ede, Record, Reply

NAME = Name("api.shop.com")


def reply(
    rcode: str = "NOERROR",
    answers: tuple[Record, ...] = (),
    authority: tuple[Record, ...] = (),
    additional: tuple[Record, ...] = (),
    ede: tuple[Ede, ...] = (),
) -> Reply:
    return Reply(1, rcode, frozenset(), (NAME, "A"), answers, authority, additional, ede)


def soa(owner: str, rname: str = "hostmaster.shop.com") -> Record:
    return Record(owner, "SOA", 60, f"ns.shop.com {rname} 1 2 3 4 5")


def address(owner: str, data: str, rdtype: str = "A") -> Record:
    return Record(owner, rdtype, 60, data)


def alias(owner: str, target: str) -> Record:
    return Record(owner, "CNAME", 60, target)


@pytest.mark.parametrize("owner", ["shop.com", "com", "."])
def test_a_denial_by_a_zone_above_is_a_proof(owner: str) -> None:
    found = classify(reply("NXDOMAIN", authority=(soa(owner),)), NAME, "A")
    assert (found.outcome, found.subject) == (Outcome.DENIED, NAME)
    assert owner in found.detail


@pytest.mark.parametrize(
    ("doubtful", "why"),
    [
        (reply("NXDOMAIN"), "without SOA"),
        (reply("NXDOMAIN", authority=(soa("api.shop.com"),)), "not above"),
        (reply("NXDOMAIN", authority=(soa("op.com"),)), "not above"),
        (reply("NXDOMAIN", authority=(soa("other.net"),)), "not above"),
        (reply("NXDOMAIN", authority=(soa("com"),), additional=(soa("rpz.local"),)), "policy zone"),
        (reply("NXDOMAIN", authority=(soa("com", OWN_SOA_RNAME),)), "our own"),
        (reply("NXDOMAIN", authority=(soa("com", OWN_SOA_RNAME.rstrip(".").upper()),)), "our own"),
        *(
            (reply("NXDOMAIN", authority=(soa("com"),), ede=(Ede(code, "x"),)), f"EDE {code}")
            for code in (4, 15, 16, 17, 18)
        ),
        *((reply(rcode, ede=(Ede(15, "list"),)), "EDE 15") for rcode in ("NOERROR", "SERVFAIL", "REFUSED")),
        (reply(answers=(address(NAME, "192.0.2.9"),), ede=(Ede(17, ""),)), "EDE 17"),
        (reply(answers=(address(NAME, "192.0.2.9"),), additional=(soa("rpz.local"),)), "policy zone"),
        (reply(answers=(address(NAME, "0.0.0.0"),)), "null"),
        (reply(answers=(alias(NAME, "x.net"), address("x.net", "0.0.0.0"))), "null"),
    ],
)
def test_a_sign_of_filtering_makes_it_filtered(doubtful: Reply, why: str) -> None:
    found = classify(doubtful, NAME, "A")
    assert found.outcome is Outcome.FILTERED
    assert why in found.detail


def test_the_null_address_of_ipv6_is_filtered() -> None:
    found = classify(reply(answers=(address(NAME, "::", "AAAA"),)), NAME, "AAAA")
    assert found.outcome is Outcome.FILTERED


def test_one_real_address_beside_a_null_one_is_data() -> None:
    found = classify(reply(answers=(address(NAME, "0.0.0.0"), address(NAME, "192.0.2.1"))), NAME, "A")
    assert (found.outcome, found.data) == (Outcome.DATA, ("0.0.0.0", "192.0.2.1"))


@pytest.mark.parametrize("negative", [reply("NXDOMAIN", authority=(soa("com"),)), reply(authority=(soa("shop.com"),))])
def test_no_negative_answer_of_a_resolver_with_our_list_counts(negative: Reply) -> None:
    assert classify(negative, NAME, "A", runs_our_list=True).outcome is Outcome.FILTERED


def test_data_of_a_resolver_with_our_list_is_data() -> None:
    assert classify(reply(answers=(address(NAME, "192.0.2.1"),)), NAME, "A", runs_our_list=True).outcome is Outcome.DATA


def test_noerror_without_data_proves_existence() -> None:
    found = classify(reply(authority=(soa("shop.com"),)), NAME, "A")
    assert found.outcome is Outcome.NODATA
    assert found.outcome.proves_existence


def test_data_is_sorted_and_without_repeats() -> None:
    answers = (address(NAME, "192.0.2.2"), address(NAME, "192.0.2.1"), address(NAME, "192.0.2.2"))
    assert classify(reply(answers=answers), NAME, "A").data == ("192.0.2.1", "192.0.2.2")


def test_records_of_other_owners_and_types_are_not_data() -> None:
    answers = (address("other.net", "192.0.2.2"), address(NAME, "::1", "AAAA"))
    assert classify(reply(answers=answers), NAME, "A").outcome is Outcome.NODATA


def test_a_denial_is_about_the_last_name_of_the_chain() -> None:
    chain = (alias("a.cdn.net", "b.host.org"), alias(NAME, "a.cdn.net"))  # record order does not matter
    found = classify(reply("NXDOMAIN", chain, (soa("host.org"),)), NAME, "A")
    assert (found.outcome, found.subject, found.chain) == (Outcome.DENIED, "b.host.org", ("a.cdn.net", "b.host.org"))
    of_alias = classify(reply("NXDOMAIN", chain, (soa("shop.com"),)), NAME, "A")
    assert of_alias.outcome is Outcome.FILTERED, "the SOA of the alias's zone says nothing about the target"


def test_data_at_the_end_of_a_chain_is_found() -> None:
    found = classify(reply(answers=(alias(NAME, "x.net"), address("x.net", "192.0.2.1"))), NAME, "A")
    assert (found.outcome, found.subject, found.data) == (Outcome.DATA, "x.net", ("192.0.2.1",))


@pytest.mark.parametrize(
    "records",
    [
        (alias(NAME, NAME),),
        (alias(NAME, "x.net"), alias("x.net", NAME)),
        tuple(alias(NAME if i == 0 else f"{i}.net", f"{i + 1}.net") for i in range(MAX_CHAIN)),
    ],
)
@pytest.mark.parametrize("rcode", ["NOERROR", "NXDOMAIN"])
def test_an_endless_chain_is_broken(records: tuple[Record, ...], rcode: str) -> None:
    assert classify(reply(rcode, records, (soa("."),)), NAME, "A").outcome is Outcome.BROKEN


@pytest.mark.parametrize(
    ("rcode", "outcome"),
    [
        ("SERVFAIL", Outcome.SERVFAIL),
        ("REFUSED", Outcome.REFUSED),
        ("FORMERR", Outcome.BROKEN),
        ("NOTIMP", Outcome.BROKEN),
        ("BADVERS", Outcome.BROKEN),
    ],
)
def test_other_rcodes_say_nothing_about_the_name(rcode: str, outcome: Outcome) -> None:
    found = classify(
        reply(rcode, authority=(soa("com"),), ede=(Ede(22, "no\nreachable\x1b[31m authority"),)), NAME, "A"
    )
    assert found.outcome is outcome
    assert found.detail.isprintable()
    assert "EDE 22" in found.detail


def test_a_stale_denial_is_none() -> None:
    found = classify(reply("NXDOMAIN", authority=(soa("com"),), ede=(Ede(19, ""),)), NAME, "A")
    assert found.outcome is Outcome.SERVFAIL


def test_who_checked_signatures_is_told_where_the_zone_speaks_not_where_a_filter_does() -> None:
    def said(answer: Reply) -> str:
        return classify(replace(answer, flags=frozenset(("AD",))), NAME, "A").detail

    assert said(reply(answers=(address(NAME, "192.0.2.1"),))) == said(reply()) == VALIDATED
    assert said(reply("NXDOMAIN", authority=(soa("shop.com"),))) == f"NXDOMAIN, SOA shop.com, {VALIDATED}"
    for doubtful in (reply(answers=(address(NAME, "0.0.0.0"),)), reply("NXDOMAIN"), reply("SERVFAIL")):
        assert VALIDATED not in said(doubtful)


@given(
    st.sampled_from(["A", "AAAA", "CNAME", "NS"]),
    st.sampled_from(["A", "AAAA", "CNAME", "NS"]),
    st.sampled_from([NAME, "shop.com"]),
    st.sampled_from(["192.0.2.1", "0.0.0.0", "::", "x.net", "\x1b[2J"]),
    st.sampled_from([(), ("AD",)]),
    st.sampled_from(["NOERROR", "NXDOMAIN"]),
)
def test_one_record_means_what_it_means_twice(
    asked: str, rdtype: str, owner: str, data: str, flags: tuple[str, ...], rcode: str
) -> None:
    """The plain answer is told in one step; a repeated record takes the long way to the same."""
    record = Record(owner, rdtype, 60, data)
    once, twice = (
        classify(replace(reply(rcode, answers), flags=frozenset(flags)), NAME, asked)
        for answers in ((record,), (record, record))
    )
    assert once == twice


def test_our_rname_is_the_one_our_zones_carry() -> None:
    assert OWN_SOA_RNAME == rpz.OWN_SOA_RNAME


OWNERS = (".", "com", "shop.com", "api.shop.com", "x.api.shop.com", "net", "x.net")
records = st.builds(
    Record,
    name=st.sampled_from(OWNERS),
    rdtype=st.sampled_from(("A", "AAAA", "CNAME", "SOA", "NS")),
    ttl=st.just(60),
    data=st.sampled_from((*OWNERS, "192.0.2.1", "0.0.0.0", "::", "m. aidns.invalid. 1 2 3 4 5", "m r 1 2 3 4 5", "")),
)
sections = st.lists(records, max_size=4).map(tuple)
replies = st.builds(
    Reply,
    id=st.just(1),
    rcode=st.sampled_from(("NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "RCODE99")),
    flags=st.just(frozenset()),
    question=st.just((NAME, "A")),
    answers=sections,
    authority=sections,
    additional=sections,
    ede=st.lists(st.builds(Ede, st.integers(0, 30), st.text(max_size=8)), max_size=2).map(tuple),
)


@given(replies, st.sampled_from(("A", "AAAA", "NS", "HTTPS")), st.booleans())
def test_every_denial_meets_every_condition(answer: Reply, rdtype: str, runs_our_list: bool) -> None:
    found = classify(answer, NAME, rdtype, runs_our_list=runs_our_list)
    assert found.detail.isprintable()
    if found.outcome is Outcome.DENIED:
        assert answer.rcode == "NXDOMAIN"
        assert not runs_our_list
        assert answer.additional_soa is None
        assert not {ede.code for ede in answer.ede} & {4, 15, 16, 17, 18, 19}
        owner = answer.authority_soa.name if answer.authority_soa else ""
        assert owner == "." or (at_or_below(found.subject, owner) and found.subject != owner)
        assert all("aidns.invalid" not in record.data for record in answer.authority if record.rdtype == "SOA")
    if found.outcome.proves_existence:
        assert answer.rcode == "NOERROR"
