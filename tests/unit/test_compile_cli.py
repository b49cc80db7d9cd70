"""`aidns compile` and `aidns fetch` through their outer door: files, streams, reports, exit codes."""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aidns.cli import main
from aidns.lists import cache
from aidns.lists.cache import About
from aidns.lists.compile import Input, compile_lists
from aidns.lists.line import Syntax
from aidns.render import bulk
from aidns.render.compiled import compile_to, policy
from aidns.render.formats import FORMATS
from list_lines import lines
from samples import NOW

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def aidns(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> Run:
    """Run a command as the console script does, in a folder of its own; `stdin` is what it reads there."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(NOW))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aidns", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            main()
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        return int(end.value.code or 0), out.decode(), err.decode()

    return run


def rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(("#", "!", ";"))]


def test_a_list_from_standard_input_goes_to_standard_output(aidns: Run) -> None:
    """Data on stdout alone, the report on stderr alone."""
    text = b"A.example.\nb.a.example\nx..y\n192.0.2.1\nc.example\nC.EXAMPLE\n"
    code, out, err = aidns("compile", "-", "--format", "domains-wild", stdin=text)
    assert code == 0
    assert rules(out) == ["compiled.aidns-canary.example", "a.example", "c.example"]
    assert out.startswith("# Title: compiled (")
    assert "standard input (domains): 6 lines, 4 names, 2 refused" in err
    assert "line 3: 'x..y' has an empty label" in err
    assert "line 4: '192.0.2.1' is an IP address" in err
    assert "together: 4 names, 1 repeated, 1 covered" in err


def test_exceptions_and_exact_names(aidns: Run, tmp_path: Path) -> None:
    """The longest listed name wins, at one name the exception; an exception above no block is left out."""
    (tmp_path / "block.txt").write_text("a.example\nb.example\ndeep.ok.a.example\nsame.example\n")
    (tmp_path / "allow.txt").write_text("ok.a.example\nsame.example\nnobody.example\n")
    code, out, err = aidns("compile", "block.txt", "--allow", "allow.txt", "--format", "adguard")
    assert code == 0
    assert set(rules(out)[1:]) == {
        *("||a.example^", "@@||ok.a.example^", "||deep.ok.a.example^$important", "||b.example^"),
    }
    assert "1 undone by an exception, 1 kept as exceptions, 1 left out as exceptions to no block" in err
    _, out, _ = aidns("compile", "block.txt", "--exact", "--format", "adguard")
    assert set(rules(out)[1:]) == {f"|{name}^" for name in (tmp_path / "block.txt").read_text().split()}


def test_several_formats_go_into_a_directory(aidns: Run, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.example\n")
    code, out, _ = aidns("compile", "list.txt", "--format", "rpz", "--format", "hosts", "-o", "out")
    assert (code, out) == (0, "")
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["hosts.txt", "rpz.zone"]
    assert "a.example CNAME ." in (tmp_path / "out" / "rpz.zone").read_text()
    assert "0.0.0.0 www.a.example" in (tmp_path / "out" / "hosts.txt").read_text()


def test_the_report_as_json(aidns: Run, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("a.example\nx..y\n")
    code, out, _ = aidns("compile", "list.txt", "--format", "hosts", "-o", "hosts", "--json")
    report = json.loads(out)
    assert (code, report["schema"]) == (0, "aidns/compile/1")
    (one,) = report["inputs"]
    assert (one["source"], one["syntax"], one["lines"], one["names"], one["refused"]) == (
        "list.txt",
        "domains",
        2,
        1,
        1,
    )
    assert one["examples"] == [{"line": 2, "reason": "has an empty label", "text": "x..y"}]
    assert report["counts"]["names"] == 1
    assert (report["files"][0]["path"], report["files"][0]["format"]) == ("hosts", "hosts")
    assert {loss["what"] for loss in report["files"][0]["weakened"]} == {"subtree", "types"}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("list.txt", "--format", "nothing"), 2, "there is no format"),
        (("list.txt", "--format", "dnsmask"), 2, "did you mean 'dnsmasq'"),
        (("list.txt", "--format", "windows-dns", "--action", "nxdomain"), 3, "as --action"),
        (("list.txt",), 2, "--format"),
        (("missing.txt", "--format", "rpz"), 2, "missing.txt"),
        (("list.txt", "--format", "rpz", "--syntax", "hosst"), 2, "hosst"),
        (("list.txt", "--format", "rpz", "--format", "hosts"), 2, "-o DIR"),
        (("list.txt", "--format", "rpz", "--json"), 2, "-o FILE"),
        (("-", "--allow", "-", "--format", "rpz"), 2, "once"),
        (("list.txt", "--format", "rpz", "--name", "a b"), 2, "a b"),
        (("list.txt", "--format", "rpz", "--action", "refuse"), 3, "cannot answer"),
        (("empty.txt", "--format", "rpz"), 3, "nothing would be blocked"),
        (("rubbish.txt", "--format", "rpz"), 3, "nothing would be blocked"),
        (("page.html", "--format", "rpz"), 1, "web page"),
        (("list.txt", "rubbish.txt", "--format", "rpz", "--strict"), 1, "refused"),
        (("list.txt", "--format", "hosts", "--strict"), 3, "weakened"),
    ],
)
def test_what_cannot_be_done_writes_nothing(
    aidns: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    files = {"list.txt": "a.example\n", "empty.txt": "", "rubbish.txt": "x..y\n", "page.html": "<html>a.example"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found, out, err = aidns("compile", *arguments)
    assert (found, out) == (code, "")
    assert says in err
    assert {file.name for file in tmp_path.iterdir()} == set(files)


def test_an_empty_list_leaves_the_old_file(aidns: Run, tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("old\n")
    assert aidns("compile", "-", "--format", "hosts", "-o", "out.txt", stdin=b"# nothing\n")[0] == 3
    assert (tmp_path / "out.txt").read_text() == "old\n"
    assert aidns("compile", "-", "--format", "hosts", "-o", "out.txt", stdin=b"a.example\n")[0] == 0
    assert "a.example" in (tmp_path / "out.txt").read_text()
    assert len(list(tmp_path.iterdir())) == 1


def test_where_a_format_lacks_the_default_action_it_takes_the_nearest(aidns: Run) -> None:
    for fmt, line in (("hosts", "0.0.0.0 a.example"), ("windows-dns", "EQ,a.example"), ("mikrotik", "type=NXDOMAIN")):
        code, out, _ = aidns("compile", "-", "--format", fmt, stdin=b"a.example\n")
        assert code == 0 and line in out


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    """As in `aidns compile list | head -1`."""
    (tmp_path / "list.txt").write_text("".join(f"host{n}.example\n" for n in range(200_000)))
    program = f"{sys.executable} -c 'from aidns.cli import main; main()' compile -q list.txt --format domains-wild"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {program} | head -1"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"# Title") and done.stderr == b""


def test_the_same_lists_give_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the hash seed and the order of lines and files."""
    names = [f"{'x.' * (n % 3)}host{n // 2}.example" for n in range(3000)]
    outputs = set()
    for seed in range(3):
        random.Random(seed).shuffle(names)
        (tmp_path / "one").write_text("\n".join(names[:1500]))
        (tmp_path / "two").write_text("\n".join(names[1500:]))
        files = ["one", "two"]
        program = [sys.executable, "-c", "from aidns.cli import main; main()", "compile", "-q", *files]
        environment = os.environ | {"PYTHONHASHSEED": str(seed), "SOURCE_DATE_EPOCH": str(NOW)}
        done = subprocess.run(
            [*program, "--format", "rpz"], cwd=tmp_path, env=environment, capture_output=True, check=True
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1


def test_no_list_can_make_a_policy_zone_look_at_addresses(aidns: Run, tmp_path: Path) -> None:
    """`8.0.0.0.10.rpz-ip` would be the network 10.0.0.0/8 there."""
    names = ("8.0.0.0.10.rpz-ip", "8.0.0.0.10.RPZ-Client-IP", "ns.example.rpz-nsdname", "8.0.0.0.10.rpz-nsip.")
    (tmp_path / "list.txt").write_text("\n".join(("a.example", "rpz-ip.example", *names, "")), "utf-8")
    _, out, err = aidns("compile", "list.txt", "--format", "rpz")
    assert "rpz-ip.example" in out and "4 refused" in err
    assert not [
        owner for owner in map(str.split, out.lower().splitlines()) if owner[0].split(".")[-1].startswith("rpz-")
    ]


@pytest.mark.parametrize("fmt", ["domains-wild", "wildcard", "pihole", "adguard", "dnsmasq", "dnsmasq-servers", "rpz"])
def test_what_it_writes_it_can_read(fmt: str) -> None:
    """A file compiled again gives the same rules, as far as its format can say them."""
    rng = random.Random(fmt)
    said = 0
    for _ in range(60):
        syntax: Syntax = rng.choice(("adblock", "rpz", "dnsmasq"))
        data = b"#\nfirst.example\n" + b"".join(lines(rng, syntax, rng.choice((5, 30, 100))))
        inputs = [Input("drawn", io.BytesIO(data), syntax), Input("one", io.BytesIO(b"first.example\n"))]
        made = compile_to([FORMATS[fmt]], inputs, policy("drawn", "nxdomain"), zone_length=0)
        if not made.documents[0].weakened:
            text = b"".join(made.blocks(made.documents[0], NOW))
            again = compile_lists([Input("again", io.BytesIO(text), None, exact=fmt in ("wildcard", "pihole"))])
            assert bulk.everything(again.compiled)[0] == bulk.everything(made.compilation.compiled)[0]
            assert again.inputs[0].refused == 0
            said += 1
    assert said > 5


# ------------------------------------------------------------------ fetch


def mine(tmp_path: Path, url: str) -> str:
    text = f'schema = 1\ntitle = "Mine"\nextends = "deepseek-org"\n[[list]]\nurl = "{url}"\nreason = "theirs"\n'
    (tmp_path / "mine.toml").write_text(text)
    return "./mine.toml"


def test_fetch_never_asks_a_private_address(aidns: Run, tmp_path: Path) -> None:
    """The failure says why, what remains, and which exit code a script may count on."""
    url = "http://localhost.localdomain.example.invalid/list"
    code, out, err = aidns("fetch", "--policy", mine(tmp_path, url))
    assert code == 4
    assert out.startswith(f"{url}: failed: ") and "there is no copy" in out
    assert "1 of 1 lists could not be fetched" in err
    assert "tip: copies stay as they were" in err


def test_render_reads_the_copy_and_never_the_network(aidns: Run, tmp_path: Path) -> None:
    url = "https://lists.example.net/list.txt"
    file = mine(tmp_path, url)
    code, out, err = aidns("render", "--policy", file, "--format", "domains-wild")
    assert (code, out) == (3, "") and "never fetched" in err and "aidns fetch" in err
    cache.store(About(url, NOW - 10 * 86400), [b"theirs.example\n"], cache.directory())
    code, out, err = aidns("render", "--policy", file, "--format", "domains-wild")
    assert code == 0 and "theirs.example" in rules(out) and "10 days ago" in err
