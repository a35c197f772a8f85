"""Reads the configuration in a process of its own: `python -m wgmqtt.config_process FILE`, for the running daemon.

Ten thousand routers take seconds. In a thread, reading them would delay the event loop, which shares Python's lock, and
leave 20 MiB more in the daemon's memory.
"""

import asyncio
import pickle
import sys
from pathlib import Path

from wgmqtt.config.load import read_config
from wgmqtt.errors import ConfigError, Problem
from wgmqtt.host.secrets import read_secret
from wgmqtt.model import Config


async def read_config_apart(path: Path) -> Config:
    """Return the configuration in the file at `path`; the secret of the hub is checked, too.

    Raises:
        ConfigError: the file or the secret cannot be read, or all problems that were found in it.
    """
    command = (sys.executable, "-m", "wgmqtt.config_process", str(path))
    try:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    except OSError as error:
        raise ConfigError(Problem(str(path), f"no process can be started to read it: {error.strerror}")) from error
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:  # the daemon stops
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise ConfigError(Problem(str(path), "the process that reads it failed", got=f"status {process.returncode}"))
    result: Config | tuple[Problem, ...] = pickle.loads(output)  # noqa: S301 - of our own process
    if isinstance(result, Config):
        return result
    raise ConfigError(*result)


def main() -> None:
    """Write the configuration, or the problems that were found, to standard output."""
    result: Config | tuple[Problem, ...]
    try:
        result = read_config(sys.argv[1])
        read_secret(result.password_file)
    except ConfigError as error:
        result = error.problems
    sys.stdout.buffer.write(pickle.dumps(result))


if __name__ == "__main__":
    main()
