"""Runs a command; a failure's message has the command and its output."""

import subprocess

from wgmqtt.errors import Problem, WgmqttError


class LabError(WgmqttError):
    """The lab cannot do what was requested, or something expected did not happen."""


class CommandError(LabError):
    """A command failed; the message has its whole output."""


def run(*command: str, text_in: str = "", timeout_s: float = 120.0) -> str:
    """Run `command` and return its standard output.

    Raises:
        CommandError: it could not start, took too long, or its exit status is not 0.
    """
    shown = " ".join(command)
    try:
        done = subprocess.run(command, input=text_in, capture_output=True, text=True, timeout=timeout_s, check=False)
    except FileNotFoundError as error:
        raise CommandError(Problem(shown, f"no such program: {error.filename}", hint="bash lab/setup.sh")) from None
    except subprocess.TimeoutExpired as error:
        raise CommandError(Problem(shown, f"still running after {error.timeout} s")) from None
    if done.returncode != 0:
        output = (done.stdout + done.stderr).strip() or "no output"
        given = f"\n  its input:\n{text_in}" if text_in else ""
        raise CommandError(Problem(shown, f"ended with status {done.returncode}: {output}{given}"))
    return done.stdout
