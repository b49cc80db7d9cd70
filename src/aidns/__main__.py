"""Entry of the program: tells its version without importing anything for it. [I/O: writes to stdout]"""

from __future__ import annotations

import gc
import sys

from aidns import __version__

YOUNG = 100_000
"""New objects between two looks for cycles: modules, and names by the thousand, make many objects and no garbage."""


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"aidns {__version__}\n")
        return
    gc.set_threshold(YOUNG)
    from aidns.cli import main as run

    try:
        run()
    finally:
        gc.freeze()  # the process ends: its last looks for cycles would go through every object there is


if __name__ == "__main__":
    main()
