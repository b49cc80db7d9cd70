"""`aidns audit` on the command line: exit codes, text and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from aidns.cli import cli
from aidns.errors import UsageError

ZONE = "$TTL 300\n@ SOA localhost. r. {serial} 1 1 1 1\n@ NS localhost.\n{rules}"


def run(*args: str | Path, text: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["audit", *map(str, args)], input=text, standalone_mode=False)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_clean_list_ends_well(tmp_path: Path) -> None:
    """Exit code 0, and a line that says so."""
    result = run(write(tmp_path / "list", "one.com\ntwo.com\n"))
    assert (result.return_value, result.output.endswith("domains, 2 lines, 2 names: clean\n")) == (0, True)


def test_findings_are_told_with_place_consumers_and_tip(tmp_path: Path) -> None:
    """Exit code 1; one paragraph a finding."""
    rules = "x.com CNAME .\n*.x.com CNAME .\nchat.x.com CNAME .\n"
    result = run(write(tmp_path / "zone", ZONE.format(serial=7, rules=rules)))
    assert result.return_value == 1
    assert "error [rpz-hole-owner]" in result.output and "(1 ×)" in result.output
    assert "line 6: chat.x.com (such as z.chat.x.com, which *.x.com should block)" in result.output
    assert "BIND: passes" in result.output and "tip: " in result.output


def test_notes_alone_are_no_findings(tmp_path: Path) -> None:
    """What a list cannot do does not turn a job red."""
    result = run(write(tmp_path / "list", "0.0.0.0 one.com\n"))
    assert "note [v4-only]" in result.output and result.return_value == 0


def test_json_holds_an_audit_a_file(tmp_path: Path) -> None:
    """With every finding's id, severity, count and places."""
    files = write(tmp_path / "a", "one.com\n"), write(tmp_path / "b", "co.uk\nOne.com\n")
    result = run(*files, "--json")
    document = json.loads(result.output)
    assert (result.return_value, document["schema"]) == (1, "aidns/audit/1")
    first, second = document["audits"]
    assert (first["findings"], second["syntax"]) == ([], "domains")
    found = {finding["id"]: finding for finding in second["findings"]}
    assert found.keys() == {"public-suffix", "upper-case"}
    assert found["public-suffix"]["examples"] == [{"line": 1, "name": "co.uk", "detail": ""}]


def test_stdin_and_a_told_syntax() -> None:
    """`-` reads stdin; --as decides."""
    assert "hosts" in run("-", "--as", "hosts", text="one.com\n").output
    assert isinstance(run("-", "--as", "prolog", text="one.com\n").exception, UsageError)


def test_previous_compares_serials_of_one_list(tmp_path: Path) -> None:
    """A moved record with an unmoved serial is a fault; two lists have no one previous edition."""
    old = write(tmp_path / "old", ZONE.format(serial=7, rules="x.com CNAME .\n"))
    new = write(tmp_path / "new", ZONE.format(serial=7, rules="y.com CNAME .\n"))
    assert "serial-stale" in run(new, "--previous", old).output
    assert isinstance(run(new, old, "--previous", old).exception, UsageError)


def test_the_shipped_catalogue_protects_shared_names_and_canaries(tmp_path: Path) -> None:
    """Sign-in of thousands of sites, and the canary that Firefox asks for."""
    output = run(write(tmp_path / "list", "0.0.0.0 auth0.com\n0.0.0.0 use-application-dns.net\n")).output
    assert "error [shared-name]" in output and "error [canary-with-address]" in output
