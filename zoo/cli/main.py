"""The command `zoo`."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import warnings
from typing import Annotated

import typer

from zoo import engine
from zoo.cli import cache, catalog, complete, develop, explain, install, predict, registry, runs, train
from zoo.cli.output import print_line
from zoo.errors import ZooError

_CTRL_C = 130
_NOT_WRITTEN = (errno.EBADF, errno.EIO, errno.ENOSPC)

app = typer.Typer(
    name="zoo",
    help="Fine-tune pretrained models by name, on your own pictures or texts.",
    epilog="Start with: zoo list, then: zoo train efficientnet_lite0 PHOTOS (a sub-folder for each class).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich would break lines of 80 columns twice, and take the [test] of an example for markup
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (catalog, registry, install, train, runs, predict, explain, cache, develop):
    module.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        import zoo

        print_line(f"zoo {zoo.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress and no messages on standard error.")
    ] = False,
) -> None:
    if quiet:
        os.environ["ZOO_QUIET"] = "1"


def _may_be_of_a_plugin(arguments: list[str]) -> bool:
    """Whether plugins are asked for commands: not for one of our own, which has to work whatever they do."""
    own = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    own |= {group.name for group in app.registered_groups if isinstance(group.name, str)}
    words = [word for word in arguments if not word.startswith("-")]
    return "--version" not in arguments and (not words or words[0] not in own)


def _sentence(error: Exception) -> str:
    if isinstance(error, ZooError):
        return str(error)
    if isinstance(error, OSError) and error.errno in _NOT_WRITTEN and error.filename is None:
        return f"Cannot write to the standard output: {error.strerror}."
    return _unforeseen(error)


def _unforeseen(error: Exception) -> str:
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line}. Set ZOO_DEBUG=1 to see where it happened."


def _open_standard_streams() -> None:
    """Open what the shell has closed (`2>&-`), or the next files that are opened would get its numbers.

    What is written to a closed standard output fails, as it would without this.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDONLY if name == "stdout" else os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
            setattr(sys, name, open(number, mode))  # noqa: SIM115 - open as long as the process


def _write_no_more() -> None:
    """Discard what is still to be written on standard output, which Python would try again when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run the command line; an error becomes one sentence and exit status 1 (`ZOO_DEBUG=1`: its traceback)."""
    _open_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file name need not be valid text
    engine.keep_heap()
    warnings.filterwarnings("ignore", module="PIL")  # of odd metadata in pictures that can be read
    try:
        if _may_be_of_a_plugin(sys.argv[1:]):
            from zoo.catalog import catalog as load_catalog

            load_catalog().host.call("zoo_commands", app=app)
        try:
            with complete.as_bash_cuts_words():
                app(prog_name="zoo")
        finally:
            sys.stdout.flush()  # here, because Python says it without a sentence
    except BrokenPipeError:
        _write_no_more()
        sys.exit(1)
    except Exception as error:
        if os.environ.get("ZOO_DEBUG") == "1":
            raise
        print_line(f"zoo: {_sentence(error)}", sys.stderr)
        if isinstance(error, OSError):
            _write_no_more()
        sys.exit(1)
    except (KeyboardInterrupt, SystemExit) as end:
        if getattr(end, "code", _CTRL_C) != _CTRL_C:  # typer turns Ctrl-C into this exit status, without a message
            raise
        print_line("zoo: stopped by Ctrl-C.", sys.stderr)
        sys.exit(_CTRL_C)
