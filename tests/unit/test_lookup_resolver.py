"""Resolver specs: every way to write one, one id for each resolver, a plain refusal for anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidns.errors import UsageError
from aidns.lookup.resolver import PUBLIC_RATE, operator_of, parse_resolver, parse_resolvers


@pytest.mark.parametrize(
    ("spec", "id_", "transport", "host", "port", "server_name"),
    [
        ("9.9.9.9", "9.9.9.9", "udp", "9.9.9.9", 53, ""),
        ("9.9.9.9:53", "9.9.9.9", "udp", "9.9.9.9", 53, ""),
        ("127.0.0.1:5353", "127.0.0.1:5353", "udp", "127.0.0.1", 5353, ""),
        ("2620:FE::0:FE", "2620:fe::fe", "udp", "2620:fe::fe", 53, ""),
        ("[2620:fe::fe]", "2620:fe::fe", "udp", "2620:fe::fe", 53, ""),
        ("[2620:fe::fe]:5353", "[2620:fe::fe]:5353", "udp", "2620:fe::fe", 5353, ""),
        ("tls://dns.quad9.net", "tls://dns.quad9.net", "tls", "dns.quad9.net", 853, "dns.quad9.net"),
        ("tls://DNS.Quad9.net:853", "tls://dns.quad9.net", "tls", "dns.quad9.net", 853, "dns.quad9.net"),
        ("tls://9.9.9.9#dns.quad9.net", "tls://9.9.9.9#dns.quad9.net", "tls", "9.9.9.9", 853, "dns.quad9.net"),
        ("tls://[2620:fe::fe]:8853", "tls://[2620:fe::fe]:8853", "tls", "2620:fe::fe", 8853, "2620:fe::fe"),
    ],
)
def test_a_spec_is_read(spec: str, id_: str, transport: str, host: str, port: int, server_name: str) -> None:
    resolver = parse_resolver(spec)
    assert (resolver.id, resolver.transport, resolver.host) == (id_, transport, host)
    assert (resolver.port, resolver.server_name) == (port, server_name)
    assert parse_resolver(resolver.id) == resolver


@pytest.mark.parametrize(
    ("spec", "url"),
    [
        ("https://dns.quad9.net", "https://dns.quad9.net:443/dns-query"),
        ("https://dns.quad9.net/dns-query", "https://dns.quad9.net:443/dns-query"),
        ("https://[::1]:8443/q", "https://[::1]:8443/q"),
    ],
)
def test_an_https_spec_makes_a_url(spec: str, url: str) -> None:
    resolver = parse_resolver(spec)
    assert resolver.url == url
    assert parse_resolver(resolver.id) == resolver


@pytest.mark.parametrize(
    "spec",
    [
        "", " ", "dns.quad9.net", "9.9.9.9:", "9.9.9.9:0", "9.9.9.9:65536", "9.9.9.9:x", "9.9.9", "[::1",
        "udp://9.9.9.9", "tls://", "tls:///x", "tls://9.9.9.9/path", "tls://a_b c", "https://user:pw@dns.example.net/",
        "https://dns.quad9.net/?x=1", "https://dns.quad9.net/#x", "https://dns.quad9.net:99999/", "tls://quäd9.net",
        "9.9.9.9\n1.1.1.1", "tls://9.9.9.9#not a name", "tls://[::1", "[9.9.9.9]x:1",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_a_tip(spec: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_resolver(spec)
    assert refusal.value.tip
    assert refusal.value.message.isprintable()


@given(st.text(max_size=40))
def test_no_text_brings_more_than_a_refusal(text: str) -> None:
    try:
        resolver = parse_resolver(text)
    except UsageError as refusal:
        assert refusal.message.isprintable()
    else:
        assert parse_resolver(resolver.id) == resolver


def test_only_resolvers_that_others_share_have_a_rate() -> None:
    assert parse_resolver("9.9.9.9").rate == PUBLIC_RATE
    assert parse_resolver("tls://dns.quad9.net").rate == PUBLIC_RATE
    assert parse_resolver("100.64.0.1").rate == PUBLIC_RATE
    for own in (
        "127.0.0.1:5335",
        "10.0.0.53",
        "192.168.1.1",
        "fd00::53",
        "fe80::1%eth0",
        "tls://127.0.0.1#dns.shop.com",
    ):
        assert parse_resolver(own).rate == 0
    assert parse_resolver("9.9.9.9", rate=7).rate == 7
    assert parse_resolver("10.0.0.53", rate=7).rate == 7


def test_one_resolver_written_twice_counts_once() -> None:
    assert [r.id for r in parse_resolvers(["9.9.9.9", "9.9.9.9:53", "1.1.1.1"])] == ["9.9.9.9", "1.1.1.1"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9.9.9.9", "149.112.112.112"),
        ("9.9.9.9", "tls://dns.quad9.net"),
        ("9.9.9.9", "https://dns11.quad9.net/dns-query"),
        ("1.1.1.1", "2606:4700:4700::1001"),
        ("8.8.8.8", "https://dns.google/dns-query"),
        ("10.0.0.53", "192.168.1.1"),
        ("10.0.0.53", "fd00::53"),
        ("217.237.150.188", "217.237.148.22"),
        ("tls://a.dns.somewhere.com", "tls://b.somewhere.com"),
    ],
)
def test_two_resolvers_of_one_operator_are_no_two_witnesses(one: str, other: str) -> None:
    assert parse_resolver(one).operator == parse_resolver(other).operator


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9.9.9.9", "1.1.1.1"),
        ("9.9.9.9", "10.0.0.53"),
        ("127.0.0.1:5300", "127.0.0.1:5301"),
        ("tls://dns.quad9.net", "tls://dns.google"),
        ("217.237.150.188", "213.73.91.35"),
    ],
)
def test_different_operators_are_told_apart(one: str, other: str) -> None:
    assert parse_resolver(one).operator != parse_resolver(other).operator


def test_a_host_without_registrable_domain_goes_by_its_name() -> None:
    assert operator_of("dns.internal", 853) == "dns.internal"
    assert operator_of("co.uk", 853) == "co.uk"
