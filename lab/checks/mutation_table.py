"""The table of mutations: what could be wrong in a router's script, and which check should notice it. Pure."""

from collections.abc import Sequence

from lab.checks.mutation import Mutation, handler, install

APPLIED = "table is applied"
SAME = "same table is left alone"
MOVED = "moved site is followed"
HOSTILE = "hostile lines change nothing"
REFUSED = "refused tables change nothing"
ROAMED = "roamed peer is kept"

SET = "/interface/wireguard/peers/set $1 endpoint-address=$2 endpoint-port=$3"
PING = "/tool/ping address=$1 count=1 interval=20ms"
APPLY = "[$apply $peerId ($addressOf->$key) ($portOf->$key)]"
EQUAL = ':if (($seen->"configured") = $hint) do={'
FIND = "/peers/find where interface=$meshInterface public-key=$key]"
BY_KEY = "/interface/wireguard/peers/find where public-key="
KICK = ':set ($kickOf->$key) ([:tostr ($entry->"kick")] = "true")'
# The set of a peer that need not wait.
DECIDED = f':if ($did = "apply") do={{ :set did {APPLY} }}\n  :set ($didOf->$key) $did'
SET_LATE = f'    :foreach key,peerId in=$idOf do={{ :if (($didOf->$key) = "set") do={{ {APPLY} }} }}'
STAGES = 'or ($kickOf->$key)) do={ :set stages {"applied";"final"}'
PROBE = "< $askUntil) do={ [$send ($pingOf->$key)]"
NO_ADDRESS = ':if ([:typeof $address] != "ip" and [:typeof $address] != "ip6") do={ :error "address" }'
STRAY = ':if ($stray and $silent and ($kickOf->$key) and ($didOf->$key) = "same") do={'

MUTATIONS: Sequence[Mutation] = (
    # The main job
    handler("wrong comparison", APPLIED, EQUAL, EQUAL.replace(" = ", " != ")),
    handler("missing set", APPLIED, SET, ':set did "set"'),
    handler("address and port swapped", APPLIED, SET, SET.replace("$2", "$9").replace("$3", "$2").replace("$9", "$3")),
    handler("port forgotten", APPLIED, SET, SET.replace(" endpoint-port=$3", "")),
    handler("another peer is set", APPLIED, "($found->0)", f"([{BY_KEY}$hubKey]->0)"),
    handler("peer looked up without its key", APPLIED, FIND, FIND.replace(" public-key=$key", "")),
    handler("no ping at all", APPLIED, PING, ":delay 1ms"),
    handler("ping elsewhere", APPLIED, PING, PING.replace("$1", "10.99.0.1")),
    handler("one packet only", APPLIED, ":foreach round in={1;2;3} do={", ":foreach round in={1} do={"),
    install("wrong topic", APPLIED, 'add broker="wgmqtt" topic="wgmqtt/', 'add broker="wgmqtt" topic="x/'),
    # What it tells the hub
    handler("wrong report topic", APPLIED, ':local reportTopic "wgmqtt/', ':local reportTopic "x/'),
    handler("no report", APPLIED, ":if ([/iot/mqtt/brokers/get $brokerId connected]) do={", ":if (false) do={"),
    handler("no early report", APPLIED, STAGES, STAGES.replace('"applied";', "")),
    handler(
        "reported before it is set",
        APPLIED,
        DECIDED,
        DECIDED.replace(APPLY, '"set"'),
        "    :local swept [:timestamp]",
        f"    :local swept [:timestamp]\n{SET_LATE}",
    ),
    handler("table's number not echoed", APPLIED, ':set ($head->"seq") $seq', ':set ($head->"seq") "0"'),
    handler("always reports a set", SAME, ':set ($line->"did") ($didOf->$key)', ':set ($line->"did") "set"'),
    # When to act
    handler("set although equal", SAME, EQUAL, ":if (false) do={"),
    handler("kick ignored", "kick is followed", KICK, KICK.replace('"true"', '"no"')),
    handler("sends without a kick", SAME, KICK, KICK.replace("=", "!=")),
    handler(
        "after_ms ignored",
        "later end waits to set",
        "< $waitUntil) do={ :delay 50ms }",
        "< $waitUntil) do={ :delay 1ms }",
    ),
    handler(
        "after_ms ignored where nothing is to be set",
        "later end waits to send",
        ':if (($kickOf->$key) and !($seen->"live") and ($waitOf->$key) > 0) do={',
        ":if (false) do={",
    ),
    handler(
        "waits although the session lives", MOVED, '(($seen->"live") or ($waitOf->$key) = 0)', "(($waitOf->$key) = 0)"
    ),
    handler("takes every session for dead", MOVED, "($age < 150s)", "($age < 0s)"),
    handler(
        "older table keeps out a newer one",
        "newer table wins over an older one",
        'and ($seen->"live")) do={ :set did "newer" }',
        ') do={ :set did "newer" }',
    ),
    # What it must not do
    handler("hub's key not checked", HOSTILE, ":if ($key = $hubKey) do={", ":if (false) do={"),
    handler(
        "interface not checked",
        "peer of another interface is left alone",
        FIND,
        FIND.replace("interface=$meshInterface ", ""),
    ),
    handler("port not checked", HOSTILE, ":if ($port < 1 or $port > 65535) do={", ":if (false) do={"),
    handler("address not checked", HOSTILE, NO_ADDRESS, ':if (false) do={ :error "address" }'),
    handler("after_ms without bound", HOSTILE, " or $wait > 2000) do={", ") do={"),
    handler("a bad line spoils the others", HOSTILE, ":set refused ($refused + 1)", ':error "refused"'),
    handler("bad lines not reported", HOSTILE, ':set ($head->"error") $problem', ':set ($head->"error") ""'),
    handler("version not checked", REFUSED, ':if ([:tostr ($table->"v")] != "1") do={', ":if (false) do={"),
    handler("bad table ends the handler", REFUSED, ':set problem "table refused"', ':error "table refused"'),
    handler("empty table answered", REFUSED, ":if ([:len $msgData] = 0) do={", ":if (false) do={"),
    handler(
        "missing address taken for a mistake",
        "missing address changes nothing",
        ":if ([:len $text] > 0) do={",
        ":if ([:len $text] >= 0) do={",
    ),
    # A peer that is elsewhere
    handler("roamed peer overwritten", ROAMED, ':set did "probe"', ':set did "apply"'),
    handler("roamed peer not asked", ROAMED, PROBE, PROBE.replace("[$send ($pingOf->$key)]", ":delay 1ms")),
    handler("already there not noticed", ROAMED, '(($seen->"live") and ($seen->"current") = $hint)', "(false)"),
    handler("silent stray left alone", "silent stray is set again", STRAY, ":if (false) do={"),
)
