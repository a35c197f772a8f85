"""The configuration file."""

import gc
import pickle
from pathlib import Path

from wgmqtt.config.parse import parse_config
from wgmqtt.errors import ConfigError, Problem
from wgmqtt.host.malloc import give_back
from wgmqtt.host.secrets import read_file
from wgmqtt.model import Config

MAX_FILE_BYTES = 4 << 20


def read_config(path: str | Path) -> Config:
    """Return the configuration in the file at `path`.

    Raises:
        ConfigError: the file cannot be read, or all problems that were found in it.
    """
    content = read_file(Path(path), MAX_FILE_BYTES)
    try:
        packed = pickle.dumps(parse_config(content.decode("utf-8"), str(path)))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(Problem(f"{path}:{line}", "not UTF-8", got=f"byte 0x{content[error.start]:02x}")) from error
    # A copy, made when the nodes are gone: the original lies between them and would keep their memory (of 10,000
    # routers, 62 MiB stay resident instead of 34).
    gc.collect()
    config: Config = pickle.loads(packed)  # noqa: S301 - made above
    give_back()
    return config
