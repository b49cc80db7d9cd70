"""How long `aidns compile` takes, and how much memory, over other ways to do the same. Everything on one core.

    make bench-compile
    .venv/bin/python bench/compile.py [--sizes 10000 100000 1000000 5000000] [--runs 5] [--slow LINES] [--keep DIR]

Each round runs every program once, in turn, on the same synthetic list (bench/synthetic.py), so that a busy machine
slows all alike; ratios are of CPU time (user and system), taken within a round, and their median is printed. For each:
seconds of CPU, seconds by the clock, the peak memory, the ratio to `LC_ALL=C sort -u`, the ratio of ours to it, and
what is wrong in its output: names that come again, that a name above them covers, or that are missing, as the plain
way (below) counts them. Ours must be right, else the run fails.

Programs that are not installed are left out and named: `hostlist-compiler`, which `make bench-compile` installs below
.bench/, and `hblock`, of which no package is known.

Then: every format from one compilation, other shapes of line over plain names, and the growth from size to size.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from statistics import median

from synthetic import SHAPES, shaped

AIDNS = [str(Path(sys.executable).with_name("aidns")), "compile", "-q", "--format", "domains-wild", "-o"]
TWELVE = (
    *("pihole", "adguard", "unbound", "rpz", "dnsmasq", "dnsmasq-servers", "domains-wild", "wildcard"),
    *("dnscrypt-proxy", "dnsdist-cdb", "squid", "technitium"),
)
Command = Callable[[Path, Path], list[str]]
OURS = "aidns"


class Measured:
    """Seconds and peak MiB of one program, round by round."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []
        self.peak = 0.0

    def run(self, command: list[str], fine: tuple[int, ...] = (0,)) -> None:
        """Run a command on one core. Raises CalledProcessError when its exit code is not `fine`."""
        start = time.perf_counter()
        child = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C", "PYTHONHASHSEED": "0"},
            preexec_fn=lambda: os.sched_setaffinity(0, {max(os.sched_getaffinity(0))}),
        )
        _, status, used = os.wait4(child.pid, 0)
        self.wall.append(time.perf_counter() - start)
        self.cpu.append(used.ru_utime + used.ru_stime)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in fine:
            raise subprocess.CalledProcessError(child.returncode, command)
        self.peak = max(self.peak, used.ru_maxrss / 1024)

    def over(self, other: Measured) -> float:
        """Return the median of the ratios of CPU time, round by round; fewer rounds of one count from the first."""
        return median(mine / theirs for mine, theirs in zip(self.cpu, other.cpu, strict=False))


def find_program(name: str) -> str | None:
    """Return the path of a program that `make bench-compile` installed, or that is on PATH."""
    return shutil.which(name, path=f".bench/node_modules/.bin{os.pathsep}{os.environ.get('PATH', '')}")


def programs(size: int, slow: int) -> dict[str, Command]:
    """Return what is measured at this size."""
    found: dict[str, Command] = {
        "sort -u": lambda source, out: ["sort", "-u", str(source), "-o", str(out)],
        OURS: lambda source, out: [*AIDNS, str(out), str(source)],
    }
    if size <= 1_000_000:
        found["plain Python"] = lambda source, out: [sys.executable, __file__, "--plain", str(source), str(out)]
    if hblock := find_program("hblock"):
        found["hblock"] = lambda source, out: hblock_command(hblock, source, out)
    compiler = find_program("hostlist-compiler")
    if compiler and size <= slow:
        found["hostlist-compiler"] = lambda source, out: adguard_command(compiler, source, out)
    return found


def left_out(slow: int) -> list[str]:
    """Return what is not measured, and why."""
    missing = [name for name in ("hostlist-compiler", "hblock") if not find_program(name)]
    return [
        *(f"{name}: not installed" for name in missing),
        *(() if "hostlist-compiler" in missing else (f"hostlist-compiler: above {slow:,} lines (--slow)",)),
        "plain Python: above 1,000,000 lines",
        "generate-domains-blocklist.py of dnscrypt-proxy: no package carries it",
    ]


def hblock_command(program: str, source: Path, out: Path) -> list[str]:
    """Return hblock's command for one local list, covered names left out."""
    sources = source.with_suffix(".sources")
    sources.write_text(f"file://{source}\n")
    options = ["-H", "none", "-F", "none", "-A", "none", "-D", "none", "-T", "%D", "-q", "-f"]
    return [program, *options, "-S", str(sources), "-O", str(out)]


def adguard_command(program: str, source: Path, out: Path) -> list[str]:
    """Return the hostlist compiler's command for the same work."""
    config = source.with_suffix(".json")
    transformations = ["RemoveComments", "ConvertToAscii", "Compress", "Validate", "Deduplicate"]
    config.write_text(
        json.dumps({"name": "bench", "sources": [{"source": str(source)}], "transformations": transformations})
    )
    return [program, "-c", str(config), "-o", str(out)]


def plain(source: str, out: str) -> None:
    """Do the same the obvious way: the gate for each line, a set, a look at every name above."""
    from aidns.names import InvalidName, Name, ancestors, normalise

    names: set[Name] = set()
    with Path(source).open(encoding="utf-8") as lines:
        for line in lines:
            if line[0] not in "#!\n":
                try:
                    names.add(normalise(line))
                except InvalidName:
                    continue
    with Path(out).open("w", encoding="utf-8") as file:
        file.writelines(f"{name}\n" for name in sorted(names) if not any(above in names for above in ancestors(name)))


def names_in(file: Path) -> list[str]:
    """Return the names in an output, whatever stands around them."""
    lines = (line.strip() for line in file.read_text("utf-8").splitlines())
    return [line.removeprefix("||").removesuffix("^") for line in lines if line and line[0] not in "#!"]


def faults(found: Iterable[str], right: frozenset[str]) -> str:
    """Return how many names come again, are covered or invalid, and are missing."""
    names = list(found)
    again = len(names) - len({name.lower().rstrip(".") for name in names})
    extra = {name.lower().rstrip(".") for name in names} - right
    missing = right - set(names)
    return f"{again:,} again, {len(extra):,} covered or invalid, {len(missing):,} missing"


def compare(size: int, runs: int, slow: int, folder: Path) -> Measured:
    """Measure all programs at one size and print them; return ours."""
    source = folder / f"plain-{size}.txt"
    if not source.exists():
        with source.open("w", encoding="utf-8", newline="") as file:
            file.writelines(shaped("plain", size))
    chosen = programs(size, slow)
    measured = {name: Measured() for name in chosen}
    for _ in range(runs):
        for name, command in chosen.items():
            measured[name].run(command(source, folder / f"{name}.out".replace(" ", "-")))
    megabytes = source.stat().st_size / 1e6
    print(f"\n{size:,} lines, {megabytes:.1f} MB; median of {runs} paired rounds on one core")
    right = folder / "plain-Python.out"
    expected = frozenset(names_in(right)) if "plain Python" in chosen else frozenset()
    ours = measured[OURS]
    print("                       CPU    clock    peak     x sort -u   aidns x it")
    for name, one in measured.items():
        wrong = ""
        if expected and name != "plain Python":
            out = [n for n in names_in(folder / f"{name}.out".replace(" ", "-")) if "aidns-canary" not in n]
            wrong = faults(out, expected)
            if name == OURS and (len(out), frozenset(out)) != (len(expected), expected):
                raise SystemExit(f"the output is wrong: {wrong}")
        times = f"{median(one.cpu):7.3f} {median(one.wall):7.3f} s {one.peak:6.0f} MiB"
        print(f"  {name:<18} {times} {one.over(measured['sort -u']):9.2f} {ours.over(one):10.3f}   {wrong}")
    print(f"  aidns peaks at {ours.peak * 1.048576 / megabytes:.2f} x the input")
    return ours


def shapes(size: int, runs: int, folder: Path) -> None:
    """Print how much longer other shapes of line take than plain names, and an audit of each."""
    measured = {shape: Measured() for shape in SHAPES}
    audits = {shape: Measured() for shape in SHAPES}
    for shape in SHAPES:
        with (folder / f"{shape}.txt").open("w", encoding="utf-8", newline="") as file:
            file.writelines(shaped(shape, size))
    for _ in range(runs):
        for shape, one in measured.items():
            one.run([*AIDNS, str(folder / "out.txt"), str(folder / f"{shape}.txt")])
            audits[shape].run([AIDNS[0], "audit", str(folder / f"{shape}.txt")], (0, 1))
    print(f"\nthe same {size:,} names in other shapes, over plain ones")
    for shape, one in measured.items():
        audit = audits[shape]
        print(f"  {shape:<18} {one.over(measured['plain']):5.2f} x; aidns audit {audit.over(one):5.2f} x aidns compile")


def formats(size: int, runs: int, folder: Path) -> None:
    """Print what each format costs, once the lists are compiled, over the whole of a compilation."""
    compiling: list[float] = []
    writing: dict[str, list[float]] = {}
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, __file__, "--formats", str(folder / f"plain-{size}.txt"), str(folder)],
            check=True,
            stdout=subprocess.PIPE,
        )
        whole, each, trees = json.loads(done.stdout)
        compiling.append(whole)
        for fmt, seconds in each.items():
            writing.setdefault(fmt, []).append(seconds)
    print(f"\nevery format of {trees:,} trees, compiled once in {median(compiling):.3f} s of CPU; what one more costs")
    taken = {fmt: times for fmt, times in writing.items() if None not in times}
    if set(TWELVE) <= set(taken):
        twelve = [sum(times) for times in zip(*(taken[fmt] for fmt in TWELVE), strict=True)]
        over = median(together / whole for together, whole in zip(twelve, compiling, strict=True))
        print(f"  {'these twelve':<18} {median(twelve):7.3f} s {over:6.3f} x: {', '.join(TWELVE)}")
    for fmt, times in taken.items():
        over = median(one / whole for one, whole in zip(times, compiling, strict=True))
        print(f"  {fmt:<18} {median(times):7.3f} s {over:6.3f} x")
    if refused := writing.keys() - taken.keys():
        print(f"  not for so many names: {', '.join(sorted(refused))}")


def time_formats(source: str, folder: str) -> None:
    """Compile once and write every format, in this process; print the seconds of CPU."""
    import jinja2.sandbox  # noqa: F401 - the first format loads it, which is no cost of one more

    from aidns.lists.compile import Input, compile_lists
    from aidns.render import bulk
    from aidns.render.base import Inexpressible
    from aidns.render.compiled import FALLBACK, policy, set_maker
    from aidns.render.formats import FORMATS

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    make = set_maker(policy("bench", "nxdomain", FALLBACK))
    start = time.process_time()
    with Path(source).open("rb") as stream:
        compiled = compile_lists([Input("bench", stream)], known=True).compiled
    whole = time.process_time() - start
    each: dict[str, float | None] = {}
    for fmt in FORMATS:
        start = time.process_time()
        try:
            made = bulk.document(bulk.start(FORMATS[fmt], make), compiled)
        except Inexpressible:
            each[fmt] = None
            continue
        file = Path(folder) / FORMATS[fmt].file_name
        with file.open("wb") as out:
            out.writelines(made.blocks(("Title: bench",), 1))
        each[fmt] = time.process_time() - start
        file.unlink()
    print(json.dumps([whole, each, compiled.trees.count]))


def growth(ours: dict[int, Measured]) -> None:
    """Print by what power of the size the time grows."""
    print("\ngrowth of CPU time from size to size: ratio, exponent")
    sizes = sorted(ours)
    for small, large in pairwise(sizes):
        ratio = ours[large].over(ours[small])
        print(f"  {small:>9,} to {large:>9,}  {ratio:5.2f} x, {math.log(ratio) / math.log(large / small):.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 5_000_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slow", type=int, default=100_000, help="Lines up to which hostlist-compiler is run.")
    parser.add_argument("--keep", type=Path, help="Folder for the lists, which are made once.")
    parser.add_argument("--plain", nargs=2, metavar=("LIST", "OUT"), help=argparse.SUPPRESS)
    parser.add_argument("--formats", nargs=2, metavar=("LIST", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.plain or asked.formats:
        plain(*asked.plain) if asked.plain else time_formats(*asked.formats)
        return
    with tempfile.TemporaryDirectory(prefix="aidns-bench-") as made:
        folder = asked.keep or Path(made)
        folder.mkdir(exist_ok=True)
        print("left out:", *left_out(asked.slow), sep="\n  ")
        ours = {}
        for size in sorted(asked.sizes):
            ours[size] = compare(size, asked.runs, asked.slow, folder)
            formats(size, asked.runs if size <= 1_000_000 else 1, folder)
        shapes(max((size for size in ours if size <= 1_000_000), default=min(ours)), asked.runs, folder)
        growth(ours)


if __name__ == "__main__":
    main()
