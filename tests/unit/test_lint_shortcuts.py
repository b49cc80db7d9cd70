"""What makes lint quick decides as the slow way does."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidns import names
from aidns.catalog.lint import evidence, text_clean
from aidns.model import Domain, Evidence, Fact, Provider, SeenDate, Service

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(("a" * 1000, "a" * 1001, "é" * 1001, "}}", "a\x7fb", "a\u2028b", '"', "\\", "it's", "$origin x")),
    st.text(st.sampled_from('ab{}%#$"\\ \u200b'), max_size=12),
)


@given(TEXTS, TEXTS, TEXTS)
def test_one_look_at_an_entry_finds_what_a_look_at_each_text_finds(title: str, says: str, note: str) -> None:
    """No unclean text hides in an entry, wherever it stands."""
    item = Evidence("press", "https://a.example/", SeenDate(), says)
    service = Service(1, title, "p", ("chat",), note=note, domains=(Domain("a.example", "web", evidence=(item,)),))
    found = {finding.field for finding in text_clean.check_entry("services/x.toml", service)}
    texts = {"title": title, "domains[0].evidence[0].says": says, "note": note}
    assert found == {field for field, text in texts.items() if text_clean.unclean(text)}


@given(TEXTS)
def test_nested_facts_are_looked_at(note: str) -> None:
    """As deep as entries go."""
    provider = Provider(1, "P", registered_in=(Fact(("KR",), SeenDate(), "https://a.example/", note),))
    assert bool(list(text_clean.check_entry("x", provider))) == bool(text_clean.unclean(note))


def slowly(url: str) -> bool:
    """Whether an address can be followed, by its parts."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host or re.search(r"\s", url) or "@" in parts.netloc:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".localhost"))


HOSTS = st.one_of(
    st.from_regex(r"([a-z0-9-]{1,5}\.){1,3}(com|local|internal|localhost|locally|xn--p1ai|1)", fullmatch=True),
    st.sampled_from(("10.0.0.1", "8.8.8.8", "[::1]", "localhost", "u:p@a.example", "a.example:8443", "a..b", "")),
)
URLS = st.builds(
    "{}{}{}".format,
    st.sampled_from(("https://", "http://", "ftp://", "https:/", "//", "")),
    HOSTS,
    st.one_of(st.just(""), st.text(st.sampled_from("/?#@:a.%é \t[]\\"), max_size=6)),
)


@given(URLS)
def test_addresses_are_followable_or_not_by_their_parts(url: str) -> None:
    """The pattern that most addresses fit takes none that the parts would refuse."""
    assert (evidence.unfollowable(url) == "") == slowly(url)


@given(
    st.one_of(
        st.text(st.sampled_from("ab-_.*1é[]:"), max_size=14), st.from_regex(r"([a-z_-]{1,64}\.){1,5}[a-z0-9]{1,5}")
    )
)
def test_every_refused_name_is_refused_for_a_true_reason(text: str) -> None:
    """`parse` takes a name by one pattern; each part of what it promises holds exactly for what it takes."""
    labels = text.split(".")
    sound = (
        text.isascii()
        and len(text) <= names.MAX_NAME
        and len(labels) >= 2
        and not labels[-1].isdigit()
        and all(re.fullmatch(r"[a-z0-9_-]{1,63}", label) and label.strip("-") == label for label in labels)
    )
    try:
        assert names.parse(text) == text and sound
    except names.InvalidName as error:
        assert not sound and error.message and error.tip


@pytest.mark.parametrize("length", [names.MAX_NAME, names.MAX_NAME + 1])
def test_the_longest_name(length: int) -> None:
    """253 octets pass, 254 do not."""
    text = ("a" * 49 + ".") * 5 + "a" * (length - 250)
    if length <= names.MAX_NAME:
        assert names.parse(text) == text
    else:
        with pytest.raises(names.InvalidName, match="254 octets"):
            names.parse(text)
