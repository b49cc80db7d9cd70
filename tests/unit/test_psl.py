"""Public suffixes: the ICANN section guards, the private section flags."""

from __future__ import annotations

import random

import pytest

from aidns import names, psl


@pytest.mark.parametrize(
    ("name", "registrable"),
    [
        ("example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("example.co.uk", "example.co.uk"),
        ("www.example.co.uk", "example.co.uk"),
        ("co.uk", None),
        ("com", None),
        ("anything.ck", None),  # rule *.ck
        ("shop.anything.ck", "shop.anything.ck"),
        ("www.ck", "www.ck"),  # exception rule !www.ck
        ("sub.www.ck", "www.ck"),
        ("city.kawasaki.jp", "city.kawasaki.jp"),
        ("other.kawasaki.jp", None),
        ("kawasaki.jp", None),
        ("someone.github.io", "github.io"),  # private section: does not group
        ("bucket.s3.amazonaws.com", "amazonaws.com"),
        ("host.unknown-tld-of-ours", "host.unknown-tld-of-ours"),
        ("xn--p1ai", None),
        ("example.xn--p1ai", "example.xn--p1ai"),
    ],
)
def test_registrable_domain_by_the_icann_section(name: str, registrable: str | None) -> None:
    """One registrant's domain; wildcard and exception rules count, the private section does not."""
    assert psl.registrable_domain(name) == registrable
    assert psl.is_public_suffix(name) is (registrable is None)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("github.io", "github.io"),  # equal
        ("blogspot.com", "blogspot.com"),
        ("hf.space", "hf.space"),
        ("kawasaki.jp", None),  # ICANN rules are the other guard's
        ("someone.github.io", None),  # below one
        ("example.com", None),
        ("deepseek.com", None),
    ],
)
def test_a_private_suffix_at_a_name(name: str, suffix: str | None) -> None:
    """A suffix under which strangers publish is found at the name itself, not above it."""
    assert psl.covered_private_suffix(name) == suffix


@pytest.mark.parametrize("name", ["amazonaws.com", "googleapis.com", "databricksapps.com", "io", "com"])
def test_a_private_suffix_below_a_name(name: str) -> None:
    """A subtree that holds such a suffix is found from any height above it."""
    found = psl.covered_private_suffix(name)
    assert found is not None
    assert names.at_or_below(found, name)


def test_a_wildcard_rule_counts_as_the_name_below_its_star() -> None:
    """`*.compute.amazonaws.com` makes strangers publish below `compute.amazonaws.com`."""
    assert psl.covered_private_suffix("compute.amazonaws.com") == "compute.amazonaws.com"


def test_every_remarkable_name_is_near_a_suffix() -> None:
    """Names elsewhere need not be asked about, which makes the questions quick to ask about millions."""
    listed, parents = psl.near_suffixes()
    rng = random.Random(7)
    some = rng.sample(sorted(listed), 1500) + sorted(parents)
    drawn = {*some, *(f"x.{name}" for name in some), *(f"y.x.{name}" for name in some)}
    drawn |= {above for name in some for above in names.ancestors(name) if "." in above}
    drawn |= {f"{name}.example" for name in some} | {"a.unknown-top", "b.a.unknown-top", "www.ck", "city.kawasaki.jp"}
    drawn = {name for name in drawn if "." in name}
    found = {name for name in drawn if psl.is_public_suffix(name) or psl.covered_private_suffix(name)}
    assert found <= {name for name in drawn if name in listed or name.partition(".")[2] in parents}
    assert "x.ck" in found
