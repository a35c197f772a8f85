# wgmqtt @version@: questions to router @router@ about its RouterOS, for the checklist docs/first-router.md.
# It reads, pings two addresses, and reconnects the broker entry @brokerName@ once if it is connected. It changes no
# setting.@liveNote@
# A question that fails is answered with its error. The last line is one JSON object with all answers: send it back.
{
  # Return the value of an expression. It is parsed here, so that one that RouterOS does not know spoils no other.
  :local ask do={
    :local answer "no answer"
    :onerror wgmqttError in={
      :local code [:parse (":return " . $1)]
      :set answer [:tostr [$code]]
    } do={
      :set answer ("error: " . $wgmqttError)
    }
    :return $answer
  }
  # Return the time that a command takes.
  :local timed do={
    :local began [:timestamp]
    :do {
      :local code [:parse $1]
      :local ignored [$code]
    } on-error={}
    :return [:tostr ([:timestamp] - $began)]
  }
  :local askJson do={
    :local answer "no answer"
    :onerror wgmqttError in={
      :local value [:deserialize from=json value=$1 options=json.no-string-conversion]
      :set answer ([:typeof $value] . " " . [:tostr $value])
    } do={
      :set answer "error"
    }
    :return $answer
  }
  :local askIp do={ :return ([:typeof [:toip $1]] . " " . [:tostr [:toip $1]]) }
  :local askIp6 do={ :return ([:typeof [:toip6 $1]] . " " . [:tostr [:toip6 $1]]) }
  :local json ({})
@json@
  :local ip ({})
@ip@
  :local ip6 ({})
@ipSix@
  :local language ({})
@language@
  :local router ({})
@questions@
  # One peer of the interface, to read from: the first one that has had a handshake, or any.
  :local peerId ""
  :do {
    :foreach id in=[/interface/wireguard/peers/find where interface=@interface@] do={
      :if ([:len $peerId] = 0) do={ :set peerId [:tostr $id] }
      :if ([:typeof [/interface/wireguard/peers/get $id last-handshake]] = "time") do={ :set peerId [:tostr $id] }
    }
  } on-error={}
  :local get ("[/interface/wireguard/peers/get " . $peerId . " ")
  :if ([:len $peerId] > 0) do={
@peerQuestions@
  }
  :set ($router->"ping unanswered") [$timed "/tool/ping address=192.0.2.254 count=1 interval=20ms"]
  :set ($router->"ping hub") [$timed "/tool/ping address=@hubTunnel@ count=1 interval=20ms"]
  # How long does the broker entry take to connect again by itself?
  :local isConnected "[/iot/mqtt/brokers/get [/iot/mqtt/brokers/find where name=\"@brokerName@\"] connected]"
  :if ([$ask $isConnected] = "true") do={
    :local began [:timestamp]
    :local state [$ask "[/iot/mqtt/disconnect broker=@brokerName@]"]
    :delay 200ms
    :for tick from=1 to=150 do={
      :set state [$ask $isConnected]
      :if ($state != "true") do={ :delay 200ms }
    }
    :set ($router->"reconnected") $state
    :set ($router->"reconnect time") [:tostr ([:timestamp] - $began)]
  }@live@
  :local answers ({})
  :set ($answers->"wgmqtt") "@version@"
  :set ($answers->"json") $json
  :set ($answers->"ip") $ip
  :set ($answers->"ip6") $ip6
  :set ($answers->"language") $language
  :set ($answers->"router") $router
  :put [:serialize to=json value=$answers options=json.no-string-conversion]
}
