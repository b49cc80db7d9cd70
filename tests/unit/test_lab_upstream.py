"""The upstream denies as the real world does, and remembers what it was asked."""

from __future__ import annotations

import dns.message
import dns.query
import pytest

from aidns.lab.upstream import Upstream
from aidns.stub import ask


def test_ordinary_names_have_data_of_the_types_that_matter() -> None:
    with Upstream() as upstream:
        texts = {
            rdtype: ask(upstream.port, "www.shop.com", rdtype).data(rdtype) for rdtype in ("A", "AAAA", "MX", "TXT")
        }
        assert texts == {
            "A": ("192.0.2.1",),
            "AAAA": ("2001:db8::1",),
            "MX": ("10 mail.example.net",),
            "TXT": (f'"upstream-{upstream.port}"',),
        }
        whole = dns.query.udp(dns.message.make_query("www.shop.com", "HTTPS"), "127.0.0.1", port=upstream.port)
        assert whole.answer[0].to_text().endswith('IN HTTPS 1 . alpn="h2"')


@pytest.mark.parametrize(
    ("name", "rdtype", "rcode", "zone"),
    [
        ("p.aidns-canary.example", "A", "NXDOMAIN", "."),
        ("a.b.example", "TXT", "NXDOMAIN", "."),
        ("nx-a.shop.com", "A", "NXDOMAIN", "shop.com"),
        ("nx-shop.com", "AAAA", "NXDOMAIN", "com"),
        ("nodata-a.shop.com", "A", "NOERROR", "shop.com"),
        ("www.shop.com", "SRV", "NOERROR", "shop.com"),
        ("nx-a.served.example", "A", "NXDOMAIN", "."),
    ],
)
@pytest.mark.parametrize("tcp", [False, True])
def test_denials_carry_the_soa_of_a_zone_above(name: str, rdtype: str, rcode: str, zone: str, tcp: bool) -> None:
    with Upstream(serve=["served.example"]) as upstream:
        reply = ask(upstream.port, name, rdtype, tcp=tcp)
    assert (reply.rcode, reply.answers) == (rcode, ())
    assert reply.authority_soa is not None
    assert reply.authority_soa.name == zone


def test_trees_below_example_exist_when_told() -> None:
    with Upstream(serve=["served.example"]) as upstream:
        assert ask(upstream.port, "x.served.example").data("A") == ("192.0.2.1",)
        assert ask(upstream.port, "xserved.example").rcode == "NXDOMAIN"


def test_aliases_are_answered_with_their_target() -> None:
    with Upstream(cnames={"alias.com": "mid.com", "mid.com": "nodata-end.com", "loop.com": "loop.com"}) as upstream:
        reply = ask(upstream.port, "alias.com")
        assert [(r.name, r.rdtype, r.data) for r in reply.answers] == [
            ("alias.com", "CNAME", "mid.com"),
            ("mid.com", "CNAME", "nodata-end.com"),
        ]
        assert reply.authority_soa is not None
        only = ask(upstream.port, "alias.com", "CNAME")
        assert only.data("CNAME") == ("mid.com",)
        assert only.authority_soa is None
        assert len(ask(upstream.port, "loop.com").data("CNAME")) == 16


def test_every_question_is_remembered_in_order() -> None:
    with Upstream() as upstream:
        ask(upstream.port, "One.com", "HTTPS")
        ask(upstream.port, "two.com", "TYPE4321", tcp=True)
    assert upstream.seen == [("one.com", "HTTPS"), ("two.com", "TYPE4321")]
    assert upstream.seen_names() == {"one.com", "two.com"}
