"""Every phrase of the log, declared once: its text, its level, what happened, and what the daemon does about it.

The tables of docs/operations.md are printed from here by `python -m tests.docs.fault_table`.
"""

from dataclasses import dataclass

from wgmqtt.logline import Phrase


@dataclass(frozen=True, slots=True)
class Case:
    """One more situation for the tables: a special case of a phrase, or one that has no log line (`phrase` is None)."""

    happened: str
    reaction: str
    phrase: Phrase | None = None
    note: str = ""
    """What the log line looks like in this case, in Markdown."""


@dataclass(frozen=True, slots=True)
class Section:
    """The phrases about one subject, in the order of their table."""

    title: str
    rows: tuple[Phrase | Case, ...]


# The daemon itself

STARTED = Phrase(
    "started",
    "info",
    "the daemon started",
    "reads WireGuard, connects to the broker, publishes what differs; if nothing changed, no table",
    ("hub", "routers"),
)
STOPPED = Phrase("stopped", "info", "SIGTERM or SIGINT", "announces that it is offline, exits with status 0")
CONFIG_RELOADED = Phrase(
    "configuration reloaded",
    "info",
    "SIGHUP with a valid configuration",
    "applies the difference",
    ("routers", "links"),
)
CONFIG_REJECTED = Phrase(
    "configuration rejected, keeping the previous one",
    "warning",
    "SIGHUP with an invalid configuration, or with a password file that is missing",
    "keeps the whole previous one; `wgmqtt check-config` shows every problem, the log line only the first",
    ("problems", "reason"),
)
NAMES_CHANGED = Phrase(
    "prefix or hub name changed, clearing the old topics",
    "info",
    "the topic prefix or the hub's name changed (SIGHUP)",
    "clears the retained topics under the old name",
    ("prefix", "hub", "topics"),
)
FROZEN = Phrase(
    "publishing frozen",
    "info",
    "`wgmqtt freeze`",
    "publishes nothing but its own online topic and status",
)
FREEZE_UNREADABLE = Phrase(
    "freeze file cannot be read, keeping the last state",
    "warning",
    "the file `config.yaml.frozen` can neither be read nor be known to be missing (permissions, a failing disk)",
    "stays frozen or not, as it was; at its start it publishes nothing; warns once",
    ("reason", "frozen"),
)
RESUMED = Phrase("publishing resumed", "info", "`wgmqtt unfreeze`", "publishes everything that changed meanwhile")
WOULD_PUBLISH = Phrase(
    "would publish",
    "info",
    "`wgmqtt run --dry-run`: a table would be published now",
    "prints it and publishes nothing",
    ("topic", "payload"),
)

# WireGuard

INTERFACE_UNREADABLE = Phrase(
    "interface cannot be read",
    "warning",
    "an interface is missing, deleted, not WireGuard, or may not be read",
    "retries at every poll; what was published stays",
    ("interface", "reason"),
)
INTERFACE_READABLE = Phrase(
    "interface readable again",
    "info",
    "the interface can be read again, perhaps with other peers",
    "reads every peer, publishes what differs; a peer that is gone changes nothing",
    ("interface",),
)
HINTS_ACTIVE = Phrase(
    "hints active",
    "info",
    "the kernel reports packets from unknown endpoints (nftables and NFLOG work)",
    "polls at once when such a packet arrives",
    ("table", "group", "owned"),
)
HINTS_UNAVAILABLE = Phrase(
    "hints unavailable, polling only",
    "warning",
    "nftables or NFLOG is missing or refuses",
    "polls only (`poll_s`), retries every minute",
    ("reason",),
)

# The broker

BROKER_READY = Phrase(
    "broker ready",
    "info",
    "the daemon is connected and has read back what the broker retains",
    "publishes what differs; after a crash of the broker (`retained=0`) that is everything",
    ("retained", "routers"),
)
BROKER_UNREACHABLE = Phrase(
    "broker unreachable",
    "warning",
    "the broker is down, its name unknown, its certificate wrong, or it accepts the connection and is silent for 15 s",
    "retries after 0.25 s, then less and less often, at least every 8 s; the repetitions are at debug",
    ("reason", "retry_s"),
)
BROKER_LOST = Phrase(
    "broker connection lost",
    "warning",
    "the broker ended the connection, or did not acknowledge a table for 10 s",
    "reconnects, reads back what is retained, publishes what differs",
    ("reason", "retry_s"),
)
LOGIN_REJECTED = Phrase(
    "broker rejected the login",
    "warning",
    "the broker rejects the user or the password",
    "retries, and reads the password again each time",
    ("reason", "retry_s"),
)
CREDENTIALS_UNREADABLE = Phrase(
    "broker credentials cannot be read",
    "warning",
    "the password file or a certificate is missing, or readable by others",
    "retries at least every 8 s",
    ("reason", "retry_s"),
)
RETAINED_MALFORMED = Phrase(
    "retained table malformed, replacing it",
    "warning",
    "a retained table is malformed",
    "replaces it",
    ("router", "reason"),
)
STANDING_BY = Phrase(
    "another daemon is active for this hub, standing by",
    "warning",
    "another daemon with this hub's name is active on this broker",
    "publishes nothing, checks again every 30 s, takes over when the other one has stopped",
    ("hub", "instance"),
)
TAKING_OVER = Phrase(
    "no other daemon answered, taking over",
    "info",
    "the broker retained the online topic of a daemon that is dead",
    "asks that daemon, waits 3 s, reads back again",
)

# Peers and tables

ENDPOINT_CHANGED = Phrase(
    "endpoint changed",
    "info",
    "a router has a new endpoint",
    "publishes the tables of the router and of every router linked to it",
    ("router", "endpoint", "was"),
)
ENDPOINT_DAMPED = Phrase(
    "endpoint changed, publishing delayed by flap damping",
    "info",
    "a router's endpoint changes again and again",
    "publishes it less and less often, at most every 20 s",
    ("router", "endpoint", "was"),
)
ENDPOINTS_CHANGED = Phrase(
    "endpoints changed",
    "info",
    "over a hundred routers have a new endpoint at once, as after a start",
    "publishes the tables; one line instead of many",
    ("count",),
)
TABLE_PUBLISHED = Phrase(
    "table published",
    "info",
    "a table was published",
    "waits for the broker's acknowledgement, then for the router's report",
    ("router", "seq", "bytes"),
)
TABLES_PUBLISHED = Phrase(
    "tables published",
    "info",
    "over a hundred tables were published at once",
    "the lines of the single tables are at debug",
    ("count",),
)
TABLE_ACKNOWLEDGED = Phrase(
    "table acknowledged",
    "debug",
    "the broker has a table",
    "publishes what changed meanwhile",
    ("router", "seq", "ms"),
)
TABLE_OVERWRITTEN = Phrase(
    "table overwritten by another client, publishing it again",
    "warning",
    "another client of the broker published on the topic of a router's table, or cleared it",
    "publishes the table again, at most every 20 s; repetitions are at info. Find out who has the hub's password",
    ("router",),
)
ROUTER_CLEARED = Phrase(
    "router no longer configured, clearing its topics",
    "info",
    "a router is no longer configured, since SIGHUP or since the last start",
    "clears its retained topics; the router changes nothing",
    ("router",),
)

# Routers and links

TABLE_APPLIED = Phrase(
    "table applied",
    "info",
    "a router reports that it has applied its table; `ms` since it was published",
    "waits for the final report",
    ("router", "seq", "ms", "did", "error"),
)
TABLE_FINAL = Phrase(
    "table final",
    "info",
    "a router reports what it sees after it sent to its peers",
    "decides which links are direct",
    ("router", "seq", "ms", "did", "error"),
)
REPORT_MALFORMED = Phrase(
    "report malformed",
    "warning",
    "a router's report is malformed",
    "ignores it; warns once for each router",
    ("router", "reason"),
)
REPORTS_PAUSED = Phrase(
    "too many reports from one router, pausing them",
    "warning",
    "a router publishes over a hundred reports at once, or more than ten a second",
    "ignores its reports for `pause_s`, then reads the newest; the repetitions are at debug",
    ("router", "pause_s"),
)
LINES_SUPPRESSED = Phrase(
    "too many log lines about one router, suppressing them",
    "warning",
    "over three hundred lines about one router at once, or more than two a second",
    "logs none for a minute or more, then again up to 150",
    ("router",),
)
LINES_RESUMED = Phrase(
    "log lines about one router were suppressed",
    "info",
    "a line about such a router is logged again",
    "`count` is how many were not",
    ("router", "count"),
)
SUSPENDED = Phrase(
    "endpoint overwritten by something else on the router, peer suspended",
    "warning",
    "a script or Ansible on a router sets an endpoint back again and again",
    "leaves that peer out of that router's table for an hour",
    ("router", "peer", "for_s"),
)
DIRECT = Phrase(
    "direct path proven",
    "info",
    "both ends received from each other directly; `ms` since both were asked to send",
    "shows the link as direct",
    ("router", "peer", "ms", "attempts"),
)
NOT_DIRECT_YET = Phrase(
    "direct path not established yet",
    "info",
    "a router received nothing from its peer after both sent",
    "retries after 5, 15, 45 and 200 s",
    ("router", "peer", "ms", "attempts"),
)
CONTRADICTION = Phrase(
    "direct path works in one direction only",
    "info",
    "one end received from the other, which reports that it received nothing",
    "does not show the link as direct, retries; `wgmqtt status` names the two ends",
    ("router", "peer", "ms", "attempts"),
)
HOPELESS = Phrase(
    "direct path cannot be established",
    "info",
    "four attempts failed since an end moved",
    "retries after an hour, then every eight hours; `wgmqtt status` shows the likely cause",
    ("router", "peer", "ms", "attempts"),
)
NO_ANSWER = Phrase(
    "router is alive but does not answer",
    "info",
    "a router that did not report on its table sends packets again",
    "resets its connection to the broker, so that it reconnects and gets its table",
    ("router", "ms"),
)
CONNECTION_RESET = Phrase(
    "stale connection reset",
    "info",
    "a router's stale connection to the broker was reset",
    "waits for the router to reconnect; at debug if there was none to reset",
    ("router", "connections"),
)
RESET_FAILED = Phrase(
    "stale connection could not be reset",
    "info",
    "the kernel refused to reset a router's stale connection",
    "leaves it to TCP's own back-off",
    ("router", "reason"),
)

# The status page

PAGE_READY = Phrase(
    "status page ready",
    "info",
    "`wgmqtt web` listens",
    "serves the page and the metrics",
    ("url",),
)
PAGE_STOPPED = Phrase("status page stopped", "info", "SIGTERM or SIGINT", "ends every connection, exits with status 0")
PAGE_PUBLIC = Phrase(
    "status page is reachable from everywhere",
    "warning",
    "`web.listen` is a public or a wildcard address, and `allow_public` allows it",
    "serves it there, without a password: only a firewall decides who reads it",
    ("listen",),
)
PAGE_NO_ADDRESS = Phrase(
    "status page cannot listen",
    "warning",
    "the address does not exist (yet), or another program has the port",
    "retries every 2 s",
    ("listen", "reason"),
)
PAGE_CONNECTED = Phrase(
    "status page connected to the broker",
    "info",
    "the broker accepted the connection and the subscriptions of `wgmqtt web`",
    "shows what the hub publishes",
    ("hub",),
)
PAGE_DISCONNECTED = Phrase(
    "status page has no connection to the broker",
    "warning",
    "the broker is unreachable, ended the connection, or rejects the user `web`",
    "says so on the page, keeps showing what was known; retries after 0.25 s, then at least every 8 s",
    ("reason",),
)

SECTIONS: tuple[Section, ...] = (
    Section(
        "The daemon itself",
        (
            STARTED,
            STOPPED,
            Case(
                "SIGKILL, a crash, power off",
                "the broker announces that it is offline (will); systemd starts it again",
                STARTED,
            ),
            CONFIG_RELOADED,
            CONFIG_REJECTED,
            Case(
                "the configuration is invalid at the start",
                "exits with status 78; systemd does not retry",
                note="the problems themselves, on standard error",
            ),
            NAMES_CHANGED,
            FROZEN,
            RESUMED,
            FREEZE_UNREADABLE,
            WOULD_PUBLISH,
            Case("the wall clock steps", "nothing: deadlines are monotonic, and `seq` never decreases", note="none"),
        ),
    ),
    Section(
        "WireGuard",
        (
            INTERFACE_UNREADABLE,
            Case(
                "a userspace WireGuard hangs",
                "gives each request 5 s, continues with the other interfaces",
                INTERFACE_UNREADABLE,
                '`reason="…did not answer in time"`',
            ),
            INTERFACE_READABLE,
            HINTS_ACTIVE,
            HINTS_UNAVAILABLE,
        ),
    ),
    Section(
        "The broker",
        (
            BROKER_READY,
            BROKER_UNREACHABLE,
            BROKER_LOST,
            Case(
                "the broker ends each connection within 10 s (for a publish that its access rules forbid)",
                "retries less and less often; only the first line is a warning, the next ones are at info",
                BROKER_LOST,
            ),
            Case(
                "the broker accepts the login, but the read-back has no answer",
                "retries; check the broker's access rules: a denied message is dropped silently",
                BROKER_LOST,
                '`reason="no answer while reading"`',
            ),
            LOGIN_REJECTED,
            CREDENTIALS_UNREADABLE,
            RETAINED_MALFORMED,
            STANDING_BY,
            TAKING_OVER,
        ),
    ),
    Section(
        "Endpoints and tables",
        (
            ENDPOINT_CHANGED,
            ENDPOINT_DAMPED,
            ENDPOINTS_CHANGED,
            TABLE_PUBLISHED,
            TABLES_PUBLISHED,
            TABLE_ACKNOWLEDGED,
            TABLE_OVERWRITTEN,
            ROUTER_CLEARED,
        ),
    ),
    Section(
        "Routers and links",
        (
            TABLE_APPLIED,
            TABLE_FINAL,
            DIRECT,
            NOT_DIRECT_YET,
            CONTRADICTION,
            HOPELESS,
            REPORT_MALFORMED,
            REPORTS_PAUSED,
            LINES_SUPPRESSED,
            LINES_RESUMED,
            SUSPENDED,
            NO_ANSWER,
            CONNECTION_RESET,
            RESET_FAILED,
        ),
    ),
    Section(
        "The status page (`wgmqtt web`)",
        (PAGE_READY, PAGE_STOPPED, PAGE_PUBLIC, PAGE_NO_ADDRESS, PAGE_CONNECTED, PAGE_DISCONNECTED),
    ),
)
