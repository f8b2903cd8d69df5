"""Writing to stdout and stderr so that a closed pipe is silence, not an error.

Results go to stdout, messages to stderr (design.md section 8).
"""

from __future__ import annotations

import contextlib
import os
import sys


def emit(text: str) -> None:
    """Writes a result to stdout; a reader that went away (`| head`) is no error and changes no exit status."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()


def tell(text: str) -> None:
    """Writes one line of message to stderr."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


def quiet_stdout(status: int) -> int:
    """The exit status, once stdout is flushed; 2 with a sentence where it could not be (a full disk)."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()
    except OSError as error:
        _discard_stdout()
        tell(f"error: cannot write to stdout: {error.strerror}")
        return 2
    return status


def _discard_stdout() -> None:
    """Points stdout at /dev/null, or the interpreter complains when it flushes at exit."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
