# wgmqtt @version@, router @router@. RouterOS runs this handler for each table that arrives.
# A table is data: no part of it is ever run. The handler sets endpoint-address and endpoint-port of peers of one
# interface, sends through their tunnels, and reports what it did. It keeps four global variables: wgmqttTurn
# counts the tables; wgmqttSince, wgmqttWrites and wgmqttPings limit what they can cause.
:local meshInterface @interface@
:local hubKey @hubKey@
:local mqttBroker @broker@
:local reportTopic @reportTopic@

# Return the address that a text ($1) spells. Raise error $2 if there is none, or if it is loopback, multicast,
# reserved or unspecified. RouterOS also reads 1.1 and 1.2.3.4/24 as addresses, so an IPv4 address must have
# the spelling of RouterOS itself.
:local parseAddress do={
  :local text [:tostr $1]
  :local address [:toip $text]
  :if ([:typeof [:find $text ":"]] = "num") do={
    :set address [:toip6 $text]
    :set text [:tostr $address]
    :local isSpecial ($text = "::" or $text = "::1" or $text ~ "^ff")
    :if ([:typeof $address] = "ip6" and !$isSpecial) do={ :return $address }
  }
  :if ([:typeof $address] = "ip" and [:tostr $address] = $text) do={
    :local first [:tonum [:pick $text 0 [:find $text "."]]]
    :if ($first > 0 and $first < 224 and $first != 127) do={ :return $address }
  }
  :error $2
}

# Return the state of a peer ($1: its id). Away: its current endpoint is not the configured one. Live: it has a
# session. IPv6 addresses get RouterOS's own spelling, so that equal endpoints are equal texts.
:local readPeer do={
  :local state {error="";configured="";current="";rx="";age="";away=false;live=false;disabled=false}
  :onerror wgmqttError in={
    :local address [:tostr [/interface/wireguard/peers/get $1 endpoint-address]]
    :if ([:typeof [:find $address ":"]] = "num") do={ :set address [:tostr [:toip6 $address]] }
    :set ($state->"configured") ($address . " " . [/interface/wireguard/peers/get $1 endpoint-port])
    :set address [:tostr [/interface/wireguard/peers/get $1 current-endpoint-address]]
    :if ([:typeof [:find $address ":"]] = "num") do={ :set address [:tostr [:toip6 $address]] }
    :set ($state->"current") ($address . " " . [/interface/wireguard/peers/get $1 current-endpoint-port])
    :set ($state->"away") ([:len $address] > 0 and ($state->"current") != ($state->"configured"))
    :set ($state->"rx") [:tostr [/interface/wireguard/peers/get $1 rx]]
    :local disabled [:tostr [/interface/wireguard/peers/get $1 disabled]]
    :set ($state->"disabled") ($disabled = "true" or $disabled = "yes")
    :local age [/interface/wireguard/peers/get $1 last-handshake]
    :if ([:typeof $age] = "time") do={
      :set ($state->"age") [:tostr $age]
      :if ($age < 150s) do={ :set ($state->"live") true }
    }
  } do={
    :set ($state->"error") $wgmqttError
  }
  :return $state
}

# Return what to do with a peer ($1: its record, $2: its state). The first rule that fits decides: apply (set
# its endpoint), probe (see 4) or wait (see 5); anything else means to leave the peer alone, and says why.
:local decide do={
  :local was ($1->"did")
  :local isSet (($2->"configured") = ($1->"hint"))
  :local waits ($was = "new" and ($1->"ticks") > 0 and !($2->"live"))
  :if ([:len ($2->"error")] > 0) do={ :return "unreadable" }
  :if ($2->"disabled") do={ :return "disabled" }
  :if ($isSet and $waits and ($1->"kick")) do={ :return "wait" }
  :if ($isSet) do={ :return "same" }
  :if ($was = "probe" and ($2->"rx") != ($1->"first"->"rx")) do={ :return "kept" }
  :if ($was = "probe") do={ :return "apply" }
  :if ($waits) do={ :return "wait" }
  :if (!($2->"live")) do={ :return "apply" }
  :if ($was = "wait" and ($2->"configured") != ($1->"first"->"configured")) do={ :return "newer" }
  :if ($was = "wait" and ($2->"away")) do={ :return "kept" }
  :if (($2->"current") = ($1->"hint")) do={ :return "roamed" }
  :if ($2->"away") do={ :return "probe" }
  :return "apply"
}

# Set the endpoint of a peer ($1: its record, $2: port). No other command here changes anything.
:local apply do={
  :global wgmqttWrites
  :local did "set"
  :if ($wgmqttWrites >= 150) do={ :return "failed" }
  :set wgmqttWrites ($wgmqttWrites + 1)
  :onerror wgmqttError in={
    /interface/wireguard/peers/set ($1->"id") endpoint-address=($1->"address") endpoint-port=$2
  } do={
    :set did "failed"
    :log warning ("wgmqtt: set failed, " . $wgmqttError)
  }
  :return $did
}

# Send one packet to an address behind a tunnel ($1). Return whether ping is allowed; a reply shows in rx.
:local send do={
  :global wgmqttPings
  :local sent false
  :if ($wgmqttPings < 600 and [:len [:tostr $1]] > 0) do={
    :set wgmqttPings ($wgmqttPings + 1)
    @send@
  }
  :return $sent
}

# Wait, at most about $2, until every peer ($1: records by key) has received something. Return the others.
:local listen do={
  :local silent $1
  :local began [:timestamp]
  :for tick from=1 to=4 do={
    :if ([:len $silent] > 0 and ([:timestamp] - $began) < $2) do={
      :delay 50ms
      :local left ({})
      :foreach key,peer in=$silent do={
        :local rx ""
        :do { :set rx [:tostr [/interface/wireguard/peers/get ($peer->"id") rx]] } on-error={}
        :if ($rx = ($peer->"first"->"rx")) do={ :set ($left->$key) $peer }
      }
      :set silent $left
    }
  }
  :return $silent
}

# 1. Read the table. Nothing is changed if it is invalid (logged and reported) or empty (no longer managed).
:local problem ""
:local entries ({})
:local seq "0"
:if ([:len $msgData] > 0) do={
  :onerror wgmqttError in={
    :local table [:deserialize from=json value=$msgData options=json.no-string-conversion]
    :if ([:typeof $table] != "array") do={ :error "no object" }
    :if ([:tostr ($table->"v")] != "1") do={ :error "version" }
    :if ([:typeof ($table->"seq")] != "str") do={ :error "seq" }
    :if (!(($table->"seq") ~ "^[0-9]+\$") or [:len ($table->"seq")] > 20) do={ :error "seq" }
    # An empty list may be an array or an empty text.
    :local isEmpty ([:typeof ($table->"peers")] = "str" and [:len [:tostr ($table->"peers")]] = 0)
    :if ([:typeof ($table->"peers")] != "array" and !$isEmpty) do={ :error "no peers" }
    :set seq ($table->"seq")
    :if (!$isEmpty) do={ :set entries ($table->"peers") }
  } do={
    :set problem "table rejected"
    :log warning ("wgmqtt: table rejected, nothing changed: " . $wgmqttError)
  }
}

# Handlers may run side by side. One that has waited must know whether a newer table came in the meantime.
# Where RouterOS does not keep global variables between handlers, every handler has turn 1.
:global wgmqttTurn
:if ([:typeof $wgmqttTurn] != "num") do={ :set wgmqttTurn 0 }
:if ([:len $problem] = 0) do={ :set wgmqttTurn ($wgmqttTurn + 1) }
:local turn $wgmqttTurn

# At most 150 writes and 600 pings within a minute, whatever the tables say. Where RouterOS does not keep global
# variables between handlers, this is the limit for each table.
:global wgmqttSince
:global wgmqttWrites
:global wgmqttPings
:local isOver true
:if ([:typeof $wgmqttSince] = "time") do={
  :local age ([:timestamp] - $wgmqttSince)
  :if ($age >= 0s and $age < 1m) do={ :set isOver false }
}
:if ($isOver) do={ :set wgmqttSince [:timestamp] }
:if ($isOver or [:typeof $wgmqttWrites] != "num") do={ :set wgmqttWrites 0 }
:if ($isOver or [:typeof $wgmqttPings] != "num") do={ :set wgmqttPings 0 }

# This router's own addresses, as a text like ",192.0.2.1/24,".
:local own ","
:do {
  :foreach id in=[/ip/address/find] do={ :set own ($own . [/ip/address/get $id address] . ",") }
  :foreach id in=[/ipv6/address/find] do={ :set own ($own . [/ipv6/address/get $id address] . ",") }
} on-error={}

# 2. Check every entry before any is used. A peer whose entry is valid gets a record, by its public key.
:local peers ({})
:local rejected 0
:foreach entry in=$entries do={
  :onerror wgmqttError in={
    :if ([:typeof $entry] != "array") do={ :error "no object" }
    :local key ($entry->"key")
    :if ([:typeof $key] != "str") do={ :error "key" }
    :if (!($key ~ "^[A-Za-z0-9+/]+=\$") or [:len $key] != 44) do={ :error "key" }
    :if ($key = $hubKey) do={ :error "the hub's own peer" }
    :local found [/interface/wireguard/peers/find where interface=$meshInterface public-key=$key]
    :if ([:len $found] != 1) do={ :error ("no peer " . $key) }
    :if ([:len [:tostr ($entry->"address")]] > 0) do={
      :local address [:tostr [$parseAddress ($entry->"address") "address"]]
      :if ([:typeof [:find $own ("," . $address . "/")]] = "num") do={ :error "own address" }
      :local port ($entry->"port")
      :if ([:typeof $port] != "num") do={ :error "port" }
      :if ($port < 1 or $port > 65535) do={ :error "port" }
      :local ms ($entry->"after_ms")
      :if ([:typeof $ms] != "num") do={ :set ms 0 }
      :if ($ms < 50 or $ms > 2000) do={ :set ms 0 }
      :local peer {did="new";id=($found->0);address=$address;port=$port;hint=($address . " " . $port)}
      :set ($peer->"ping") ""
      # Nothing is sent to an address that this peer does not carry: those packets would go elsewhere.
      :local pingTo [$parseAddress ($entry->"ping") "ping"]
      :foreach prefix in=[/interface/wireguard/peers/get ($found->0) allowed-address] do={
        :local text [:tostr $prefix]
        :local isSame ($text = ([:tostr $pingTo] . "/32") or $text = ([:tostr $pingTo] . "/128"))
        :if ($isSame) do={ :set ($peer->"ping") $pingTo }
        :do { :if ($pingTo in $prefix) do={ :set ($peer->"ping") $pingTo } } on-error={}
      }
      :if ([:len [:tostr ($peer->"ping")]] = 0) do={ :set problem ("no ping, it is not behind " . $key) }
      :set ($peer->"ticks") (($ms + 49) / 50)
      :set ($peer->"kick") ([:tostr ($entry->"kick")] = "true")
      :set ($peers->$key) $peer
    }
  } do={
    :set rejected ($rejected + 1)
    :set problem ("rejected " . $rejected . ", last: " . $wgmqttError)
  }
}
:if ([:len $entries] > 0 and [:len $problem] > 0) do={ :log warning ("wgmqtt: entries: " . $problem) }

# 3. Decide about every peer, and once more after a probe or a wait. A peer that sends to the right endpoint is
# left alone, so a table that arrives again changes nothing and writes nothing to flash.
:local silent ({})
:local sendTo ({})
:local ticks 0
:local waitUntil 0ms
:local began [:timestamp]
:foreach step in={"new";"probe";"wait"} do={
  :if ($step = "probe") do={
    # 4. Probe: send twice within 400 ms (once if there are many) and keep its endpoint if anything arrives:
    # behind some NATs the hub sees another one. Peers that need not wait are sent to before those that must (5).
    :if ($ticks > 0) do={ :for tick from=1 to=$ticks do={ :set waitUntil ($waitUntil + 50ms) } }
    :set began [:timestamp]
    :foreach round,sendUntil in={1s;350ms} do={
      :foreach key,peer in=$silent do={
        :if (([:timestamp] - $began) < $sendUntil) do={ $send ($peer->"ping") }
      }
      :foreach key,peer in=$sendTo do={
        :local ready ($round = 0 and (($peer->"did") = "set" or ($peer->"did") = "same"))
        :if ($ready and ([:timestamp] - $began) < $waitUntil) do={ $send ($peer->"ping") }
      }
      :set silent [$listen $silent (125ms)]
    }
  }
  :if ($step = "wait" and $ticks > 0) do={
    # 5. Wait: without a live session, handshakes that cross cancel each other, so the hub lets one end wait. If
    # another handler sets the endpoint meanwhile, its table is newer if the session comes up, otherwise older.
    :for tick from=1 to=$ticks do={ :if (([:timestamp] - $began) < $waitUntil) do={ :delay 50ms } }
  }
  :foreach key,peer in=$peers do={
    :if (($peer->"did") = $step) do={
      :local now [$readPeer ($peer->"id")]
      :if ($step = "new") do={ :set ($peer->"first") $now }
      :local did [$decide $peer $now]
      :if ($did = "unreadable") do={ :log warning ("wgmqtt: cannot read a peer: " . ($now->"error")) }
      :if ($did = "apply" and $wgmqttTurn > $turn) do={ :set did "newer" }
      :if ($did = "apply") do={ :set did [$apply $peer ($peer->"port")] }
      :if ($did = "wait" and ($peer->"ticks") > $ticks) do={ :set ticks ($peer->"ticks") }
      :set ($peer->"did") $did
      :if ($did = "probe") do={ :set ($silent->$key) $peer }
      :local sends ($did = "set" or (($peer->"kick") and $did != "disabled"))
      :if ($sends) do={ :set ($sendTo->$key) $peer }
      :set ($peers->$key) $peer
    }
  }
}

# 6. Report at once what was applied; then send through the tunnels, and report the result.
:local caps ({})
:local stages {"final"}
:if ([:len $sendTo] > 0) do={ :set stages {"applied";"final"} }
:if ([:len $msgData] = 0) do={ :set stages ({}) }
:foreach stage in=$stages do={
  :if ($stage = "final") do={
    :local began [:timestamp]
    :set silent $sendTo
    :foreach round in={1;2;3} do={
      :foreach key,peer in=$silent do={
        :if (([:timestamp] - $began) < 5s) do={ :if ([$send ($peer->"ping")]) do={ :set caps {"ping"} } }
      }
      :set silent [$listen $silent (175ms)]
    }
    # A dead peer whose current endpoint is not the configured one does not return to it by itself.
    :foreach key,peer in=$sendTo do={
      :local now [$readPeer ($peer->"id")]
      :local stray (($now->"away") and ($now->"configured") = ($peer->"hint") and $wgmqttTurn = $turn)
      :if ($stray and ($peer->"did") = "same" and ($now->"rx") = ($peer->"first"->"rx")) do={
        :local did [$apply $peer ($peer->"port")]
        :set now [$readPeer ($peer->"id")]
        :if ($did = "set" and ($now->"current") != ($now->"configured")) do={
          :local otherPort (($peer->"port") - 1)
          :if ($otherPort = 0) do={ :set otherPort 65535 }
          $apply $peer $otherPort
          # The right port follows in any case, and a second time if that fails: the other one must not stay.
          :set did [$apply $peer ($peer->"port")]
          :if ($did = "failed") do={ :set did [$apply $peer ($peer->"port")] }
        }
        :if ($did = "set") do={ :set did "reapplied" }
        :set ($peer->"did") $did
        :set ($peers->$key) $peer
        $send ($peer->"ping")
      }
    }
    # caps says what a handler may do here. One that had nothing to send pings the router itself to find out.
    :if ([:len $caps] = 0) do={ :if ([$send 127.0.0.1]) do={ :set caps {"ping"} } }
  }
  :if ($stage = "final" and ($wgmqttWrites >= 150 or $wgmqttPings >= 600)) do={
    :set problem "limit reached: 150 writes or 600 pings within a minute"
    :log warning ("wgmqtt: " . $problem)
  }
  :local lines ""
  :foreach key,peer in=$peers do={
    :local matters (($peer->"did") != "same" or ($peer->"kick"))
    :if ([:len $peers] <= 30 or ($matters and [:len $lines] < 12000)) do={
      :local now [$readPeer ($peer->"id")]
      :local line {key=$key;did=($peer->"did");configured=($now->"configured");rx=($now->"rx")}
      :set ($line->"current") ($now->"current")
      :set ($line->"handshake_s") ($now->"age")
      :if ([:len $lines] > 0) do={ :set lines ($lines . ",") }
      :set lines ($lines . [:serialize to=json value=$line options=json.no-string-conversion])
    }
  }
  :local head {v=1;seq=$seq;stage=$stage;script=@scriptId@;caps=$caps;error=$problem}
  :set ($head->"routeros") [:tostr [/system/resource/get version]]
  :local message [:serialize to=json value=$head options=json.no-string-conversion]
  :set message ([:pick $message 0 ([:len $message] - 1)] . ",\"peers\":[" . $lines . "]}")
  :onerror wgmqttError in={
    :if ([/iot/mqtt/brokers/get [/iot/mqtt/brokers/find where name=$mqttBroker] connected]) do={
      /iot/mqtt/publish broker=$mqttBroker topic=$reportTopic message=$message qos=1 retain=yes force=no
    }
  } do={
    :log warning ("wgmqtt: report not sent, " . $wgmqttError)
  }
}

# 7. Where something arrived, send again after 2, 3 and 4 s, unless a newer table comes: a NAT may drop a mapping
# after 10 s if only one packet went each way.
:set began [:timestamp]
:foreach pause in={2s;1s;1s} do={
  :if ([:len $sendTo] > [:len $silent] and $wgmqttTurn = $turn) do={
    :delay $pause
    :foreach key,peer in=$sendTo do={
      :local isHeard ([:typeof ($silent->$key)] = "nothing" and $wgmqttTurn = $turn)
      :if ($isHeard and ([:timestamp] - $began) < 8s) do={ $send ($peer->"ping") }
    }
  }
}
