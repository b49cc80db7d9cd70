"""The command line: one module a command, imported only when its command runs."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from aidns import __version__
from aidns.cli.base import AidnsCommand, App, adapt_errors, global_options

COMMANDS: dict[str, str] = {
    "lint": "Find every fault of the catalogue, with file, line and a tip.",
    "fix": "Put catalogue files into canonical form and mend what a machine can mend.",
    "new": "Write a new service into the catalogue, question by question.",
    "list": "List services, domains, policies and the other tables.",
    "show": "Show one service, provider, policy, measure or format whole.",
    "explain": "Say why a name is blocked, by whom, what breaks and how to allow it.",
    "check": "Ask resolvers about every listed name and remember the answers.",
    "status": "Show what changed since the last check, what is suspect and until when, what came back.",
    "merge": "Put what several runs of check remember together.",
    "candidates": "List names that answers led to and nobody has judged.",
    "fetch": "Fetch the lists that your policies name by web address.",
    "render": "Print one policy in one format.",
    "build": "Write every policy in every format, as a plan that is applied at once.",
    "diff": "Show what a build would change, or how two builds differ.",
    "compile": "Compile anybody's lists into any format, without a catalogue.",
    "verify": "Ask a running server whether it blocks what a policy says, and nothing else.",
    "prove": "Start the servers of this machine in private and verify each list on them.",
    "pihole": "Give each scope of a policy its group, lists and networks in a running Pi-hole.",
    "audit": "Find holes, faults and collateral in anybody's list.",
}
"""Command -> its one-line help, so that `--help` imports no command."""


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"aidns.cli.{cmd_name}_command")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. That its reader, such as `head`, went away is no fault: click would make it exit code 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is flushed at the end
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="aidns %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """DNS blocklists for generative-AI services: chosen by policy, backed by evidence, proved on real servers.

    \b
    Exit codes: 0 fine, 1 findings, 2 usage, 3 refused as unsafe, 4 environment (no resolver, disk full).
    """
    ctx.ensure_object(App)


cli.params.extend(global_options())


def main() -> None:
    """Entry point of the console script."""
    adapt_errors(cli)


__all__ = ["COMMANDS", "AidnsCommand", "cli", "main"]
