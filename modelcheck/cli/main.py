"""The command `modelcheck`: finds the verb, runs it, and turns whatever comes out into an exit status.

Its one invariant: no exception reaches the user as a traceback (but for MODELCHECK_DEBUG=1); each is one sentence on
stderr.  A verb is a module of this package, imported only when it is named, so that `--help` stays fast.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator, Sequence

import click

from modelcheck.cli.output import quiet_stdout, tell
from modelcheck.cli.status import INCOMPLETE, OURS, USAGE
from modelcheck.errors import InternalError, ModelcheckError, internal_sentence, one_line

VERBS = ("list", "check", "show", "replay", "litmus", "ablate", "bench")
TERMINATED = "stopped by SIGTERM before there was a result"
INTERRUPTED = "interrupted before there was a result"


class Verbs(click.Group):
    """A group whose commands are `modelcheck.cli.<verb>.command`, imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = importlib.import_module(f"modelcheck.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise click.UsageError(f"there is no command {args[0]!r}; there are {', '.join(VERBS)}", ctx)
        return super().resolve_command(ctx, args)


def _print_version(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from importlib import metadata

    try:
        number = metadata.version("modelcheck")
    except metadata.PackageNotFoundError:
        number = "(run from its source, not installed)"
    click.echo(f"modelcheck {number}")
    ctx.exit(0)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False,
             invoke_without_command=True)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
              help="Print the version of modelcheck and exit.")
@click.pass_context
def command(ctx: click.Context) -> int:
    """A concurrency model checker: every schedule is explored, every value decided by z3.

    Exit status: 0 every property holds; 1 some property is violated; 2 bad usage or bad input; 3 incomplete (a bound
    or a signal ended it) or vacuous; 70 an error of modelcheck itself.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
    return 0


class _Terminated(BaseException):
    """SIGTERM outside a search; a search handles the signal itself and ends with a report."""


def _on_sigterm(number: int, frame: types.FrameType | None) -> None:
    raise _Terminated


@contextlib.contextmanager
def _sigterm_raises() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _on_sigterm)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name this terminal cannot write is no reason to fail
    with _sigterm_raises():
        status = _guarded(arguments)
    return quiet_stdout(status)


def _guarded(arguments: list[str]) -> int:
    try:
        return _run(arguments)
    except click.ClickException as error:
        return _usage(error, arguments)
    except InternalError as error:
        return _internal(error)
    except ModelcheckError as error:
        tell(f"error: {one_line(str(error))}")
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        tell(INTERRUPTED)
        return INCOMPLETE
    except _Terminated:
        tell(TERMINATED)
        return INCOMPLETE
    except Exception as error:
        return _internal(error)


def _run(arguments: list[str]) -> int:
    try:
        status = command.main(arguments, prog_name="modelcheck", standalone_mode=False)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            tell(f"error: nothing more can be written: {error.strerror}")
            return USAGE
        raise
    return status if isinstance(status, int) else 0


def _usage(error: click.ClickException, arguments: list[str]) -> int:
    path = f"modelcheck {arguments[0]}" if arguments and arguments[0] in VERBS else "modelcheck"
    message = one_line(error.format_message()).rstrip(".")
    message = message[:1].lower() + message[1:]
    tell(f"error: {message}; see '{path} --help'")
    return USAGE


def _internal(error: Exception) -> int:
    tell(f"internal error: {internal_sentence(error)}")
    if os.environ.get("MODELCHECK_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    return OURS
