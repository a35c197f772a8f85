"""The table of mutations: defects that a router's script could have, and the check that should notice each."""

from collections.abc import Sequence

from lab.checks.mutation import Mutation, handler, install

APPLIED = "table is applied"
SAME = "same table is left alone"
KICKED = "kick is followed"
LATER = "later end waits to set"
MOVED = "moved site is followed"
HOSTILE = "hostile lines change nothing"
REJECTED = "rejected tables change nothing"
ROAMED = "roamed peer is kept"
SILENT = "silent roamed peer is set"
STRAY = "silent stray is set again"

SET = '/interface/wireguard/peers/set ($1->"id") endpoint-address=($1->"address") endpoint-port=$2'
PING = "/tool/ping address=$1 count=1 interval=20ms"
APPLY = '[$apply $peer ($peer->"port")]'
IS_SET = ':local isSet (($2->"configured") = ($1->"hint"))'
WAITS = ':local waits ($was = "new" and ($1->"ticks") > 0 and !($2->"live"))'
DEAD = ':if (!($2->"live")) do={'
ROAMS = ':if ($2->"away") do={ :return "probe" }'
FIND = "/peers/find where interface=$meshInterface public-key=$key]"
BY_KEY = "/interface/wireguard/peers/find where public-key="
KICK = ':set ($peer->"kick") ([:tostr ($entry->"kick")] = "true")'
TICKS = ':set ($peer->"ticks") (($ms + 49) / 50)'
CONNECTED = ":if ([/iot/mqtt/brokers/get [/iot/mqtt/brokers/find where name=$mqttBroker] connected]) do={"
APPLIES = f':if ($did = "apply") do={{ :set did {APPLY} }}'
SENDS = "    :local began [:timestamp]\n    :set silent $sendTo"
SET_LATE = '    :foreach key,peer in=$peers do={ :if (($peer->"did") = "set") do={ $apply $peer ($peer->"port") } }'
PROBE = '< $sendUntil) do={ $send ($peer->"ping")'
SENDS_NOW = ':local sends ($did = "set" or (($peer->"kick") and $did != "disabled"))'
SEND_TO = ":if ($sends) do={ :set ($sendTo->$key) $peer }"
WRITE_BACK = f"      {SEND_TO}\n      :set ($peers->$key) $peer"
SILENCE = ':if ($stray and ($peer->"did") = "same" and ($now->"rx") = ($peer->"first"->"rx")) do={'

MUTATIONS: Sequence[Mutation] = (
    # The main job
    handler("wrong comparison", APPLIED, IS_SET, IS_SET.replace(" = ", " != ")),
    handler("missing set", APPLIED, SET, ':set did "set"'),
    handler(
        "address and port swapped",
        APPLIED,
        SET,
        SET.replace('($1->"address")', "$9").replace("$2", '($1->"address")').replace("$9", "$2"),
    ),
    handler("port forgotten", APPLIED, SET, SET.replace(" endpoint-port=$2", "")),
    handler("another peer is set", APPLIED, "id=($found->0)", f"id=([{BY_KEY}$hubKey]->0)"),
    handler("peer looked up without its key", APPLIED, FIND, FIND.replace(" public-key=$key", "")),
    handler("no ping at all", APPLIED, PING, ":delay 1ms"),
    handler("ping elsewhere", APPLIED, PING, PING.replace("$1", "10.99.0.1")),
    handler("one packet only", APPLIED, ":foreach round in={1;2;3} do={", ":foreach round in={1} do={"),
    install("wrong topic", APPLIED, 'add broker="wgmqtt" topic="wgmqtt/', 'add broker="wgmqtt" topic="x/'),
    # The report
    handler("wrong report topic", APPLIED, ':local reportTopic "wgmqtt/', ':local reportTopic "x/'),
    handler("no report", APPLIED, CONNECTED, ":if (false) do={"),
    handler("no early report", APPLIED, ':set stages {"applied";"final"}', ':set stages {"final"}'),
    handler(
        "reported before it is set", APPLIED, APPLIES, APPLIES.replace(APPLY, '"set"'), SENDS, f"{SENDS}\n{SET_LATE}"
    ),
    handler("table's number not echoed", APPLIED, "seq=$seq", 'seq="0"'),
    handler("always reports a set", SAME, 'did=($peer->"did")', 'did="set"'),
    # When to act
    handler("set although equal", SAME, IS_SET, ":local isSet (false)"),
    handler("kick ignored", KICKED, KICK, KICK.replace('"true"', '"no"')),
    handler("sends without a kick", SAME, KICK, KICK.replace("=", "!=")),
    handler("after_ms ignored", LATER, "< $waitUntil) do={ :delay 50ms }", "< $waitUntil) do={ :delay 1ms }"),
    handler(
        "after_ms ignored where nothing is to be set",
        "later end waits to send",
        ':if ($isSet and $waits and ($1->"kick")) do={',
        ":if (false) do={",
    ),
    handler("waits although the session lives", MOVED, WAITS, WAITS.replace(' and !($2->"live")', "")),
    handler("takes every session for dead", MOVED, "($age < 150s)", "($age < 0s)"),
    handler(
        "older table keeps out a newer one",
        "newer table wins over an older one",
        DEAD,
        DEAD.replace('($2->"live")', '($2->"live") and $was = "new"'),
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
    handler("special address accepted", HOSTILE, "$first < 224 and ", ""),
    handler("address not checked", HOSTILE, '[$parseAddress ($entry->"address") "address"]', '($entry->"address")'),
    handler("after_ms without bound", HOSTILE, " or $ms > 2000) do={", ") do={"),
    handler("a bad line spoils the others", HOSTILE, ":set rejected ($rejected + 1)", ':error "rejected"'),
    handler("bad lines not reported", HOSTILE, "error=$problem", 'error=""'),
    handler("version not checked", REJECTED, ':if ([:tostr ($table->"v")] != "1") do={', ":if (false) do={"),
    handler("bad table ends the handler", REJECTED, ':set problem "table rejected"', ':error "table rejected"'),
    handler("empty table answered", REJECTED, ":if ([:len $msgData] = 0) do={", ":if (false) do={"),
    handler(
        "missing address taken for a mistake",
        "missing address changes nothing",
        ':if ([:len [:tostr ($entry->"address")]] > 0) do={',
        ':if ([:len [:tostr ($entry->"address")]] >= 0) do={',
    ),
    # A peer that is elsewhere
    handler("roamed peer overwritten", ROAMED, ROAMS, ROAMS.replace("probe", "apply")),
    handler("roamed peer not probed", ROAMED, PROBE, PROBE.replace('$send ($peer->"ping")', ":delay 1ms")),
    handler("already there not noticed", ROAMED, ':if (($2->"current") = ($1->"hint")) do={', ":if (false) do={"),
    handler("silent stray left alone", STRAY, SILENCE, ":if (false) do={"),
    # The record of a peer, and the order of decisions
    handler("decision not recorded", SAME, WRITE_BACK, f"      {SEND_TO}"),
    handler(
        "first state not recorded",
        APPLIED,
        '{ :set ($peer->"first") $now }',
        '{ :set ($peer->"first") {rx="";configured=""} }',
    ),
    handler("records mixed up", APPLIED, f"{KICK}\n      :set ($peers->$key)", f'{KICK}\n      :set ($peers->"peer")'),
    handler("every decision made as if it were the first", LATER, ':local was ($1->"did")', ':local was "new"'),
    handler("longest wait not found", LATER, "{ :set ticks (", "{ :local none ("),
    handler("after_ms not recorded", LATER, TICKS, ':set ($peer->"ticks") 0'),
    handler("ping address not checked", HOSTILE, '[$parseAddress ($entry->"ping") "ping"]', "10.99.9.9"),
    handler("nothing sent after a set", APPLIED, SENDS_NOW, SENDS_NOW.replace('$did = "set"', "false")),
    handler("nothing sent after a kick", KICKED, SENDS_NOW, SENDS_NOW.replace('($peer->"kick")', "false")),
    handler("silent peers taken for heard", APPLIED, ':if ($rx = ($peer->"first"->"rx")) do={', ":if (false) do={"),
    handler("probe's reply not noticed", ROAMED, ':if ($was = "probe" and ', ":if (false and "),
    handler(
        "silent probed peer kept",
        SILENT,
        ':if ($was = "probe") do={ :return "apply"',
        ':if ($was = "probe") do={ :return "kept"',
    ),
    handler("live stray set again", ROAMED, SILENCE, SILENCE.replace(' and ($now->"rx") = ($peer->"first"->"rx")', "")),
)
