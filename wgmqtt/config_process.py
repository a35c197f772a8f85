"""Reads the configuration in a process of its own: `python -m wgmqtt.config_process FILE`, for the running daemon.

Ten thousand routers take seconds. In a thread, reading them would delay the event loop, which shares Python's lock, and
leave 20 MiB more in the daemon's memory.
"""

import asyncio
import os
import pickle
import sys
from pathlib import Path

from wgmqtt import __version__
from wgmqtt.config.load import read_config
from wgmqtt.errors import ConfigError, Problem
from wgmqtt.host.secrets import read_secret
from wgmqtt.model import Config

PATIENCE_S = 120.0


async def read_config_apart(path: Path) -> Config:
    """Return the configuration in the file at `path`; the secret of the hub is checked, too.

    Raises:
        ConfigError: the file or the secret cannot be read, or all problems that were found in it.
    """
    # -P: the working directory is no place to import from. The package may be in a source tree, or bundled.
    paths = (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", ""))
    command = (sys.executable, "-P", "-m", "wgmqtt.config_process", str(path))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    try:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
    except OSError as error:
        raise ConfigError(Problem(str(path), f"no process can be started to read it: {error.strerror}")) from error
    try:
        async with asyncio.timeout(PATIENCE_S):
            output, _ = await process.communicate()
    except BaseException as error:  # the daemon stops, or the file takes too long
        process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            raise ConfigError(Problem(str(path), f"not read within {PATIENCE_S:.0f} s")) from error
        raise
    if process.returncode:
        raise ConfigError(Problem(str(path), "the process that reads it failed", got=f"status {process.returncode}"))
    version, pickled = pickle.loads(output)  # noqa: S301 - of our own process
    if version != __version__:
        hint = "systemctl restart wgmqtt"
        raise ConfigError(Problem(str(path), f"wgmqtt {version} is installed, and {__version__} runs", hint=hint))
    result: Config | tuple[Problem, ...] = pickle.loads(pickled)  # noqa: S301 - likewise
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
    sys.stdout.buffer.write(pickle.dumps((__version__, pickle.dumps(result))))


if __name__ == "__main__":
    main()
