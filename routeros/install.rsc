# wgmqtt @version@: script for router @router@, RouterOS @routeros@ or later of version 7
#
# What it does: this router subscribes to one topic of the MQTT broker @brokerAddress@.
# When the hub publishes there where the other routers are, the handler below sets the endpoint of the matching
# WireGuard peers, sends through their tunnels, and reports what it did.
# What it changes: one MQTT broker entry named @brokerName@, one subscription of it, and, when a table arrives,
# endpoint-address and endpoint-port of peers of interface @interfaceName@.@hookNote@
# Nothing else, and never the hub's own peer.
# How to remove it: import the script that "wgmqtt gen-rsc @routerName@ --remove" prints.
# This file holds a password: delete it from the router's files after the import.@authorityNote@

@review@# 1. The iot package. A block of its own: without the package RouterOS does not know the commands further down.
{
  :if ([:len [/system/package/find where name="iot" disabled=no]] = 0) do={
    :error "wgmqtt: the package iot is missing. Install it (System, Packages), reboot, import again."
  }
  # "7.20.8 (stable)": the two digits after the first dot; an older 7.9 gives no number here.
  :local version [:tostr [/system/resource/get version]]
  :local minor [:tonum [:pick $version 2 4]]
  :if ([:typeof $minor] != "num") do={ :set minor 0 }
  :if ([:pick $version 0 2] != "7." or $minor < @routerosMinor@) do={
    :error ("wgmqtt: made for RouterOS @routeros@ or later of version 7, this is " . $version . ". Nothing was changed.")
  }
  :local menu "no"
  :do { [:parse "/iot/mqtt/brokers/find"]; :set menu "yes" } on-error={}
  :if ($menu = "no") do={ :error "wgmqtt: the package iot is not installed. Install it, reboot, import again." }
}

# 2. Look before anything is changed. What stops the script is an error; what may cost time later is a warning.
{
  :local meshInterface @interface@
  :local hubKey @hubKey@
  # The peers that this router is linked to, each with an address that only it carries.
  :local linked ({})
@linked@
  :if ([:len [/interface/wireguard/find where name=$meshInterface]] != 1) do={
    :error ("wgmqtt: there is no WireGuard interface " . $meshInterface . ". Nothing was changed.")
  }
  :local warn do={ :put ("warning: " . $1) }
  :local year [:tonum [:pick [:tostr [/system/clock/get date]] 0 4]]
  :if ([:typeof $year] != "num") do={ :set year 0 }
  :if ($year < 2025) do={
    [$warn "the clock is wrong: the hub refuses handshakes until it is right. Set up NTP (/system/ntp/client)"]
  }
  # Asked in a text of its own: a RouterOS that has no such menu gives no answer, and no error.
  :do {
    :local askNtp [:parse ":return [/system/ntp/client/get enabled]"]
    :if ([$askNtp] = false) do={
      [$warn "NTP is off (/system/ntp/client): if a reboot sets the clock back, the hub refuses handshakes"]
    }
  } on-error={}@authorityWarning@@certificateCheck@
  :local hubCarries ""
  :local hubPeers [/interface/wireguard/peers/find where interface=$meshInterface public-key=$hubKey]
  :if ([:len $hubPeers] = 0) do={
    [$warn ("the hub is no peer of " . $meshInterface . ": it must see this interface's own packets")]
  } else={
    :local pause [:tostr [/interface/wireguard/peers/get ($hubPeers->0) persistent-keepalive]]
    :if ($pause = "" or $pause = "00:00:00") do={
      [$warn "the hub's peer has no persistent-keepalive: set 25s, or the hub loses sight of this router"]
    }
    :foreach prefix in=[/interface/wireguard/peers/get ($hubPeers->0) allowed-address] do={
      :set hubCarries ($hubCarries . "," . [:tostr $prefix] . ",")
    }
  }
  :put "wgmqtt: endpoints before this import, to go back to:"
  :foreach key,pingTo in=$linked do={
    :local found [/interface/wireguard/peers/find where interface=$meshInterface public-key=$key]
    :if ([:len $found] != 1) do={
      [$warn ("no peer " . $key . " on " . $meshInterface . ": add it, the handler adds none")]
    } else={
      :local peerId ($found->0)
      :local address [:tostr [/interface/wireguard/peers/get $peerId endpoint-address]]
      :local port [:tostr [/interface/wireguard/peers/get $peerId endpoint-port]]
      :put ("  " . $key . " endpoint-address=" . $address . " endpoint-port=" . $port)
      :local pause [:tostr [/interface/wireguard/peers/get $peerId persistent-keepalive]]
      :if ($pause = "" or $pause = "00:00:00") do={
        [$warn ("peer " . $key . " has no persistent-keepalive: set 25s, or its NAT closes")]
      }
      :do {
        :if ([/interface/wireguard/peers/get $peerId @responder@]) do={
          [$warn ("peer " . $key . " has @responder@=yes: it starts no handshake, set it to no")]
        }
      } on-error={}
      # A warning that cannot be worked out is left out: it is no reason to stop.
      :do {
        :local carries false
        :foreach prefix in=[/interface/wireguard/peers/get $peerId allowed-address] do={
          :if ($pingTo in $prefix) do={ :set carries true }
          :if ([:typeof [:find $hubCarries ("," . [:tostr $prefix] . ",")]] = "num") do={
            [$warn ("peer " . $key . " has the hub's prefix " . [:tostr $prefix] . ": it takes that traffic")]
          }
        }
        :if (!$carries) do={
          [$warn ("peer " . $key . " does not carry " . $pingTo . ": add it to its allowed-address")]
        }
      } on-error={}
    }
  }
}

# 3. The handler, as the text that RouterOS runs for each message; and the entries of /iot/mqtt.
{
  :local wgmqttHandler @handler@
  :local parsed false
  :do { [:parse $wgmqttHandler]; :set parsed true } on-error={}
  :if (!$parsed) do={ :error "wgmqtt: this RouterOS does not accept the handler. Nothing was changed." }@authorityImport@

  # While the broker entry is new it does not connect: a subscription counts only from the next connection on.
  :local brokerIds [/iot/mqtt/brokers/find where name=@broker@]
  :if ([:len $brokerIds] = 0) do={
    /iot/mqtt/brokers/add name=@broker@ address=@address@ port=@port@ auto-connect=no
    :set brokerIds [/iot/mqtt/brokers/find where name=@broker@]
  }
  :local brokerId ($brokerIds->0)
  /iot/mqtt/brokers/set $brokerId address=@address@ port=@port@ ssl=@ssl@@certificateSet@
  /iot/mqtt/brokers/set $brokerId client-id=@clientId@ username=@username@
  /iot/mqtt/brokers/set $brokerId password=@password@
  /iot/mqtt/brokers/set $brokerId keep-alive=30@will@
  :local topicIds [/iot/mqtt/subscriptions/find where broker=@broker@ topic=@topic@]
  :if ([:len $topicIds] = 0) do={
    /iot/mqtt/subscriptions/add broker=@broker@ topic=@topic@ qos=1 on-message=$wgmqttHandler
  } else={
    /iot/mqtt/subscriptions/set ($topicIds->0) qos=1 on-message=$wgmqttHandler
  }

  # Connect anew, so that the subscription counts and the table comes at once.
  /iot/mqtt/brokers/set $brokerId auto-connect=yes
  :if ([/iot/mqtt/brokers/get $brokerId connected]) do={ /iot/mqtt/disconnect broker=@broker@ }
  :do { /iot/mqtt/connect broker=@broker@ } on-error={}@authorityEnd@
  :put "wgmqtt: installed. Delete the imported file: it holds a password."
}
