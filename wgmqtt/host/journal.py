"""Writes log lines to standard error: a fixed phrase, then key=value.

Fields may hold text from outside: reports, the broker, file names. Whatever is not plain ASCII is escaped as in JSON,
so it cannot control a terminal or the journal, and no field is longer than a table (which a dry run prints).
"""

import json
import logging
import re
import time

from wgmqtt.host.systemd import has_journal
from wgmqtt.logline import Say
from wgmqtt.wire.table import MAX_TABLE_BYTES
from wgmqtt.wire.text import clip

LOG = logging.getLogger("wgmqtt")
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}
PLAIN = re.compile(r"[!#-<>-~]+")  # printable ASCII without space, quote and equals sign
MAX_PHRASE, MAX_KEY, MAX_FIELD = 200, 64, MAX_TABLE_BYTES
# The journal reads the priority from this prefix. Source: sd-daemon(3).
PRIORITIES = {logging.DEBUG: "<7>", logging.INFO: "<6>", logging.WARNING: "<4>", logging.ERROR: "<3>"}


def set_up(level: str) -> None:
    """Send log lines of this level and above to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(_JournalLine() if has_journal() else _TerminalLine())
    LOG.addHandler(handler)
    LOG.setLevel(level.upper())


def write(line: Say, at_s: float | None = None) -> None:
    """Write one line; `at_s` is the Unix time of what it describes, by default now."""
    level = LEVELS[line.level]
    if not LOG.isEnabledFor(level):
        return
    record = LOG.makeRecord(LOG.name, level, "", 0, "%s", (render_line(line),), None)
    if at_s is not None:
        record.created = at_s
    LOG.handle(record)


def render_line(line: Say) -> str:
    """Return the text of a line: the phrase, then key=value."""
    fields = "".join(f" {clip(key, MAX_KEY)}={_text(value)}" for key, value in line.fields)
    return clip(line.phrase, MAX_PHRASE) + fields


def _text(value: object) -> str:
    text = str(value)
    if len(text) > MAX_FIELD:
        text = f"{text[: MAX_FIELD - 3]}..."
    return text if PLAIN.fullmatch(text) else json.dumps(text)


class _JournalLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return PRIORITIES.get(record.levelno, "<6>") + record.getMessage()


class _TerminalLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        microseconds = int(record.created % 1 * 1_000_000)
        return f"{moment}.{microseconds:06d}Z {record.levelname.lower()} {record.getMessage()}"
