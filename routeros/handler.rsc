# wgmqtt @version@ handler of router @router@. It runs when a table arrives.
# The table is data: no part of it is ever run. It sets endpoint-address and endpoint-port
# of peers of one interface, sends through their tunnels, and reports what it did.
# It keeps one global variable, wgmqttTurn: a counter of the tables that came since the router's start.
:local meshInterface @interface@
:local hubKey @hubKey@
:local mqttBroker @broker@
:local reportTopic @reportTopic@
:local scriptId @scriptId@

# What a peer is set to and what it does now. An IPv6 address is brought to RouterOS's own spelling.
:local look do={
  :local spell do={
    :local text [:tostr $1]
    :if ([:typeof [:find $text ":"]] = "num") do={ :set text [:tostr [:toip6 $text]] }
    :return $text
  }
  :local seen ({})
  :set ($seen->"error") ""
  :set ($seen->"configured") ""
  :set ($seen->"current") ""
  :set ($seen->"away") false
  :set ($seen->"rx") ""
  :set ($seen->"age") ""
  :set ($seen->"live") false
  :onerror wgmqttError in={
    :local address [$spell [/interface/wireguard/peers/get $1 endpoint-address]]
    :local port [:tostr [/interface/wireguard/peers/get $1 endpoint-port]]
    :set ($seen->"configured") ($address . " " . $port)
    :set address [$spell [/interface/wireguard/peers/get $1 current-endpoint-address]]
    :set port [:tostr [/interface/wireguard/peers/get $1 current-endpoint-port]]
    :set ($seen->"current") ($address . " " . $port)
    :set ($seen->"away") ([:len $address] > 0 and ($seen->"current") != ($seen->"configured"))
    :set ($seen->"rx") [:tostr [/interface/wireguard/peers/get $1 rx]]
    :local age [/interface/wireguard/peers/get $1 last-handshake]
    :if ([:typeof $age] = "time") do={
      :set ($seen->"age") [:tostr $age]
      :if ($age < 150s) do={ :set ($seen->"live") true }
    }
  } do={
    :set ($seen->"error") $wgmqttError
  }
  :return $seen
}

# The only command that changes something: one peer's endpoint. Returns what it did.
:local apply do={
  :local did "set"
  :onerror wgmqttError in={
    /interface/wireguard/peers/set $1 endpoint-address=$2 endpoint-port=$3
  } do={
    :set did "failed"
    :log warning ("wgmqtt: set failed, " . $wgmqttError)
  }
  :return $did
}

# One packet through the tunnel. Its answer is not waited for: what proves a path is the peer's rx counter.
:local send do={
  :local sent false
  @send@
  :return $sent
}

# Which of these peers (ids by key) have received nothing since their rx counters were read (rx by key).
:local stillSilent do={
  :local silent ({})
  :foreach key,peerId in=$1 do={
    :local rx ""
    :do { :set rx [:tostr [/interface/wireguard/peers/get $peerId rx]] } on-error={}
    :if ($rx = ($2->$key)) do={ :set ($silent->$key) $peerId }
  }
  :return $silent
}

# 1. Read the table. What is wrong with it ends in one log line and a report; nothing is changed.
# An empty message says that this router is no longer managed: nothing is changed, nothing reported.
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
    :if ([:typeof ($table->"peers")] != "array") do={ :error "no peers" }
    :set seq ($table->"seq")
    :set entries ($table->"peers")
  } do={
    :set problem "table refused"
    :log warning ("wgmqtt: table refused, nothing changed: " . $wgmqttError)
  }
}

# Handlers run side by side: one that asked or waited must know whether a newer table came meanwhile.
# Where RouterOS keeps no global variable from one handler to the next, each turn is 1.
:global wgmqttTurn
:if ([:typeof $wgmqttTurn] != "num") do={ :set wgmqttTurn 0 }
:if ([:len $problem] = 0) do={ :set wgmqttTurn ($wgmqttTurn + 1) }
:local turn $wgmqttTurn

# 2. Check every entry before any is used. What passes stands in these dictionaries, by key.
:local idOf ({})
:local addressOf ({})
:local portOf ({})
:local pingOf ({})
:local kickOf ({})
:local waitOf ({})
:local didOf ({})
:local refused 0
:foreach entry in=$entries do={
  :onerror wgmqttError in={
    :if ([:typeof $entry] != "array") do={ :error "no object" }
    :local key ($entry->"key")
    :if ([:typeof $key] != "str") do={ :error "key" }
    :if ([:len $key] != 44) do={ :error "key" }
    :if (!($key ~ "^[A-Za-z0-9+/]+=\$")) do={ :error "key" }
    :if ($key = $hubKey) do={ :error "the hub's own peer" }
    :local found [/interface/wireguard/peers/find where interface=$meshInterface public-key=$key]
    :if ([:len $found] != 1) do={ :error ("no peer " . $key) }
    :local text [:tostr ($entry->"address")]
    :if ([:len $text] > 0) do={
      :local address [:toip $text]
      :if ([:typeof [:find $text ":"]] = "num") do={ :set address [:toip6 $text] }
      :if ([:typeof $address] != "ip" and [:typeof $address] != "ip6") do={ :error "address" }
      :if ([:typeof $address] = "ip" and [:tostr $address] != $text) do={ :error "address" }
      :local port ($entry->"port")
      :if ([:typeof $port] != "num") do={ :error "port" }
      :if ($port < 1 or $port > 65535) do={ :error "port" }
      :local pingText [:tostr ($entry->"ping")]
      :local pingTo [:toip $pingText]
      :if ([:typeof [:find $pingText ":"]] = "num") do={ :set pingTo [:toip6 $pingText] }
      :if ([:typeof $pingTo] != "ip" and [:typeof $pingTo] != "ip6") do={ :error "ping" }
      :if ([:typeof $pingTo] = "ip" and [:tostr $pingTo] != $pingText) do={ :error "ping" }
      :local wait ($entry->"after_ms")
      :if ([:typeof $wait] != "num") do={ :set wait 0 }
      :if ($wait < 50 or $wait > 2000) do={ :set wait 0 }
      :set ($idOf->$key) ($found->0)
      :set ($addressOf->$key) [:tostr $address]
      :set ($portOf->$key) $port
      :set ($pingOf->$key) $pingTo
      :set ($kickOf->$key) ([:tostr ($entry->"kick")] = "true")
      :set ($waitOf->$key) $wait
      :set ($didOf->$key) "same"
    }
  } do={
    :set refused ($refused + 1)
    :set problem ("refused " . $refused . ", last: " . $wgmqttError)
  }
}
:if ($refused > 0) do={ :log warning ("wgmqtt: entries " . $problem) }

# 3. Decide. A peer that goes to the right place already is left alone:
# a table that comes again changes nothing and writes nothing.
:local firstOf ({})
:local rxOf ({})
:local unheard ({})
:local waiting 0
:local stages {"final"}
:local caps ({})
:if ([:len $msgData] = 0) do={ :set stages ({}) }
:foreach key,peerId in=$idOf do={
  :local seen [$look $peerId]
  :local hint (($addressOf->$key) . " " . ($portOf->$key))
  :set ($firstOf->$key) $seen
  :set ($rxOf->$key) ($seen->"rx")
  :local did "same"
  :if (($seen->"configured") = $hint) do={
    :if (($kickOf->$key) and !($seen->"live") and ($waitOf->$key) > 0) do={ :set did "wait" }
  } else={
    :set did "wait"
    :if (($seen->"live") or ($waitOf->$key) = 0) do={ :set did "apply" }
    :if (($seen->"live") and ($seen->"away")) do={ :set did "probe" }
    :if (($seen->"live") and ($seen->"current") = $hint) do={ :set did "roamed" }
  }
  :if ([:len ($seen->"error")] > 0) do={
    :set did "unreadable"
    :log warning ("wgmqtt: peer " . $key . " cannot be read: " . ($seen->"error"))
  }
  :if ($did = "apply") do={ :set did [$apply $peerId ($addressOf->$key) ($portOf->$key)] }
  :set ($didOf->$key) $did
  :if ($did = "probe") do={ :set ($unheard->$key) $peerId }
  :if ($did = "wait" and ($waitOf->$key) > $waiting) do={ :set waiting ($waitOf->$key) }
  :if ($did = "set" or $did = "wait" or ($kickOf->$key)) do={ :set stages {"applied";"final"} }
}
:local began [:timestamp]
:local waitUntil 0ms
:if ($waiting > 0) do={
  :for tick from=1 to=(($waiting + 49) / 50) do={ :set waitUntil ($waitUntil + 50ms) }
}

# 4. A peer that lives elsewhere than the table says is asked first, twice within 400 ms, and kept if anything
# comes from it: behind some NATs the hub's view of it is not ours. All are asked before any is waited for;
# where asking takes its time, because they are many, they are asked once.
:local sendReady ($waiting > 0)
:foreach askUntil in={1s;350ms} do={
  :foreach key,peerId in=$unheard do={
    :if (([:timestamp] - $began) < $askUntil) do={ [$send ($pingOf->$key)] }
  }
  # Who need not wait sends before those who do (see 5).
  :foreach key,peerId in=$idOf do={
    :local ready (($didOf->$key) = "set" or (($didOf->$key) = "same" and ($kickOf->$key)))
    :if ($sendReady and $ready and ([:timestamp] - $began) < $waitUntil) do={ [$send ($pingOf->$key)] }
  }
  :set sendReady false
  :local asked [:timestamp]
  :for tick from=1 to=3 do={
    :if ([:len $unheard] > 0 and ([:timestamp] - $asked) < 125ms) do={
      :delay 50ms
      :set unheard [$stillSilent $unheard $rxOf]
    }
  }
}
:foreach key,peerId in=$idOf do={
  :if (($didOf->$key) = "probe") do={
    :local did "kept"
    :if ([:typeof ($unheard->$key)] != "nothing") do={ :set did "newer" }
    :if ($did = "newer" and $wgmqttTurn = $turn) do={
      :set did [$apply $peerId ($addressOf->$key) ($portOf->$key)]
    }
    :set ($didOf->$key) $did
    :if ($did != "kept") do={ :set stages {"applied";"final"} }
  }
}

# 5. Without a live session, handshakes that cross cancel each other: the hub lets one end wait.
:if ($waiting > 0) do={
  :for tick from=1 to=(($waiting + 49) / 50) do={
    :if (([:timestamp] - $began) < $waitUntil) do={ :delay 50ms }
  }
  :foreach key,peerId in=$idOf do={
    :if (($didOf->$key) = "wait") do={
      :local seen [$look $peerId]
      :local hint (($addressOf->$key) . " " . ($portOf->$key))
      :local changed (($seen->"configured") != ($firstOf->$key->"configured"))
      :local did "apply"
      # A session that came up meanwhile, from wherever, works. A change that did not bring it up was made
      # by an older handler, whose wait was over before ours, unless a newer one had its turn.
      :if (($seen->"live") and ($seen->"away")) do={ :set did "kept" }
      :if ($changed and ($seen->"live")) do={ :set did "newer" }
      :if ($wgmqttTurn > $turn) do={ :set did "newer" }
      :if ($hint = ($seen->"configured")) do={ :set did "same" }
      :if ([:len ($seen->"error")] > 0) do={ :set did "unreadable" }
      :if ($did = "apply") do={ :set did [$apply $peerId ($addressOf->$key) ($portOf->$key)] }
      :set ($didOf->$key) $did
    }
  }
}

# 6. Report at once what was applied; then send through the tunnels, and report what came of it.
:foreach stage in=$stages do={
  :if ($stage = "final" and [:len $stages] > 1) do={
    :local swept [:timestamp]
    :set unheard ({})
    :foreach key,peerId in=$idOf do={
      :if (($didOf->$key) = "set" or ($kickOf->$key)) do={ :set ($unheard->$key) $peerId }
    }
    :foreach round in={1;2;3} do={
      :foreach key,peerId in=$unheard do={
        :if (([:timestamp] - $swept) < 5s) do={
          :if ([$send ($pingOf->$key)]) do={ :set caps {"ping"} }
        }
      }
      :for tick from=1 to=4 do={
        :if ([:len $unheard] > 0 and ([:timestamp] - $swept) < 5s) do={
          :delay 50ms
          :set unheard [$stillSilent $unheard $rxOf]
        }
      }
    }
    # A dead peer that roamed away from the endpoint it is set to does not come back by itself.
    :foreach key,peerId in=$idOf do={
      :local seen [$look $peerId]
      :local hint (($addressOf->$key) . " " . ($portOf->$key))
      :local stray (($seen->"away") and ($seen->"configured") = $hint and $wgmqttTurn = $turn)
      :local silent (($seen->"rx") = ($rxOf->$key))
      :if ($stray and $silent and ($kickOf->$key) and ($didOf->$key) = "same") do={
        :local did [$apply $peerId ($addressOf->$key) ($portOf->$key)]
        :set seen [$look $peerId]
        :if ($did = "set" and ($seen->"current") != ($seen->"configured")) do={
          :local otherPort (($portOf->$key) - 1)
          :if ($otherPort = 0) do={ :set otherPort 65535 }
          :set did [$apply $peerId ($addressOf->$key) $otherPort]
          # The right port follows in any case, and once more if that fails: the other must not stay.
          :set did [$apply $peerId ($addressOf->$key) ($portOf->$key)]
          :if ($did = "failed") do={ :set did [$apply $peerId ($addressOf->$key) ($portOf->$key)] }
        }
        :if ($did = "set") do={ :set did "reapplied" }
        :set ($didOf->$key) $did
        [$send ($pingOf->$key)]
      }
    }
  }
  # What this handler may do. Where it had nothing to send, it asks the router itself.
  :if ($stage = "final" and [:len $caps] = 0) do={
    :if ([$send 127.0.0.1]) do={ :set caps {"ping"} }
  }
  :local lines ""
  :foreach key,peerId in=$idOf do={
    :local changed (($didOf->$key) != "same" or ($kickOf->$key))
    :if ([:len $idOf] <= 30 or ($changed and [:len $lines] < 12000)) do={
      :local seen [$look $peerId]
      :local line ({})
      :set ($line->"key") $key
      :set ($line->"did") ($didOf->$key)
      :set ($line->"configured") ($seen->"configured")
      :set ($line->"current") ($seen->"current")
      :set ($line->"handshake_s") ($seen->"age")
      :set ($line->"rx") ($seen->"rx")
      :if ([:len $lines] > 0) do={ :set lines ($lines . ",") }
      :local text [:serialize to=json value=$line options=json.no-string-conversion]
      :set lines ($lines . $text)
    }
  }
  :local head ({})
  :set ($head->"v") 1
  :set ($head->"seq") $seq
  :set ($head->"stage") $stage
  :set ($head->"script") $scriptId
  :set ($head->"routeros") [:tostr [/system/resource/get version]]
  :set ($head->"caps") $caps
  :set ($head->"error") $problem
  :local message [:serialize to=json value=$head options=json.no-string-conversion]
  # The list of peers is put in before the closing brace: each of its lines is serialized above.
  :set message [:pick $message 0 ([:len $message] - 1)]
  :set message ($message . ",\"peers\":[" . $lines . "]}")
  :onerror wgmqttError in={
    :local brokerId [/iot/mqtt/brokers/find where name=$mqttBroker]
    :if ([/iot/mqtt/brokers/get $brokerId connected]) do={
      /iot/mqtt/publish broker=$mqttBroker topic=$reportTopic message=$message qos=1 retain=yes force=no
    }
  } do={
    :log warning ("wgmqtt: report not sent, " . $wgmqttError)
  }
}
