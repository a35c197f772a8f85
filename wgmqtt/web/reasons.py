"""Why a link is not direct, as one of a few labels: a metric must not carry names and addresses in a label.

The hub publishes its diagnosis as a sentence. tests/web/test_reasons.py holds these patterns against the sentences.
"""

import re

NONE = "not-diagnosed"
OTHER = "other"

_PATTERNS = (
    ("router-in-trouble", re.compile(r"see [a-z0-9-]+")),
    ("same-public-address", re.compile(r"both are behind one public address")),
    ("endpoint-dependent-nat", re.compile(r"the NAT of [a-z0-9-]+ (is endpoint-dependent|uses another port)")),
    ("several-lines", re.compile(r"[a-z0-9-]+ sends to [a-z0-9-]+ from ")),
    ("wrong-endpoint", re.compile(r"[a-z0-9-]+ sends to \S+, where ")),
    ("no-common-family", re.compile(r"[a-z0-9-]+ reaches the hub over IPv")),
    ("peer-disabled", re.compile(r"the peer for [a-z0-9-]+ is disabled")),
    ("contradictory-reports", re.compile(r"[a-z0-9-]+ receives packets, but ")),
    ("nat-forbids", re.compile(r"the NATs do not allow")),
)

REASONS = (*(label for label, _ in _PATTERNS), NONE, OTHER)


def reason_of(trouble: str) -> str:
    """Return the label of a link's diagnosis; one of `REASONS`."""
    if not trouble:
        return NONE
    return next((label for label, pattern in _PATTERNS if pattern.match(trouble)), OTHER)
