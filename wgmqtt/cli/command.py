"""What a command is: its name, its options, and the function that runs it."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wgmqtt.errors import EdgeError, Problem


class Options(argparse.Namespace):
    """The options of all commands; each command has those that it adds to its parser."""

    command: str
    config: Path
    # run
    log: str
    dry_run: bool
    # check-config
    schema: bool
    reference: bool
    # gen-rsc
    router: str | None
    all: Path | None
    output: Path | None
    diff: Path | None
    redact: bool
    remove: bool
    handler: bool
    acceptance: bool
    live: str
    no_ping: bool
    wan_hook: str
    # gen-mosquitto
    folder: Path
    # status
    watch: bool
    json: bool


class UsageError(Exception):
    """The options contradict each other."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `run` returns the exit status."""

    name: str
    about: str
    run: Callable[[Options], int]
    add_options: Callable[[argparse.ArgumentParser], None] = lambda _parser: None


def write(text: str) -> None:
    """Write to standard output at once.

    Raises:
        EdgeError: it cannot be written, for example because the disk is full.
        BrokenPipeError: the program that read it has ended.
    """
    if sys.stdout is None:  # this process was started with a closed standard output
        raise EdgeError(Problem("standard output", "cannot be written: it is closed"))
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # Python flushes standard output again at exit, which must not fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise EdgeError(Problem("standard output", f"cannot be written: {error.strerror}")) from error
