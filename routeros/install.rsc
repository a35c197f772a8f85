# wgmqtt @version@: script for router @router@, RouterOS @routeros@ or later of version 7
#
# What it does: this router subscribes to one topic of the MQTT broker @brokerAddress@.
# When the hub publishes there where the other routers are, the handler below sets the endpoint of the matching
# WireGuard peers, sends through their tunnels, and reports what it did.
# What it changes: one MQTT broker entry named @brokerName@, one subscription of it, and, when a table arrives,
# endpoint-address and endpoint-port of peers of interface @interfaceName@. Nothing else, and never the hub's own peer.
# How to remove it: import the script that "wgmqtt gen-rsc @routerName@ --remove" prints.
# This file holds a password: delete it from the router's files after the import.

# 1. The iot package. A block of its own: without the package RouterOS does not know the commands further down.
{
  :if ([:len [/system/package/find where name="iot" disabled=no]] = 0) do={
    :error "wgmqtt: the package iot is missing. Install it (System, Packages), reboot, import again."
  }
  :local menu "no"
  :do { [:parse "/iot/mqtt/brokers/find"]; :set menu "yes" } on-error={}
  :if ($menu = "no") do={ :error "wgmqtt: the package iot is not installed. Install it, reboot, import again." }
}

# 2. Look before anything is changed. What stops the script is an error; what may cost time later is a warning.
{
  :local meshInterface @interface@
  :local hubKey @hubKey@
  :local linked @linkedKeys@
  :if ([:len [/interface/wireguard/find where name=$meshInterface]] != 1) do={
    :error ("wgmqtt: there is no WireGuard interface " . $meshInterface . ". Nothing was changed.")
  }
  :local hubPeers [/interface/wireguard/peers/find where interface=$meshInterface public-key=$hubKey]
  :if ([:len $hubPeers] = 0) do={
    :put ("warning: the hub is no peer of " . $meshInterface . ": it must see this interface's own packets")
  }
  :put "wgmqtt: endpoints before this import, to go back to:"
  :foreach key in=$linked do={
    :local found [/interface/wireguard/peers/find where interface=$meshInterface public-key=$key]
    :if ([:len $found] != 1) do={
      :put ("warning: no peer " . $key . " on " . $meshInterface . ": add it, the handler adds none")
    } else={
      :local peerId ($found->0)
      :local address [:tostr [/interface/wireguard/peers/get $peerId endpoint-address]]
      :local port [:tostr [/interface/wireguard/peers/get $peerId endpoint-port]]
      :put ("  " . $key . " endpoint-address=" . $address . " endpoint-port=" . $port)
      :local pause [/interface/wireguard/peers/get $peerId persistent-keepalive]
      :if ([:typeof $pause] != "time") do={
        :put ("warning: peer " . $key . " has no persistent-keepalive: set 25s, or its NAT closes")
      }
    }
  }
}

# 3. The handler, as the text that RouterOS runs for each message; and the entries of /iot/mqtt.
{
  :local wgmqttHandler @handler@
  :local parsed false
  :do { [:parse $wgmqttHandler]; :set parsed true } on-error={}
  :if (!$parsed) do={ :error "wgmqtt: this RouterOS does not accept the handler. Nothing was changed." }

  # While the broker entry is new it does not connect: a subscription counts only from the next connection on.
  :local brokerIds [/iot/mqtt/brokers/find where name=@broker@]
  :if ([:len $brokerIds] = 0) do={
    /iot/mqtt/brokers/add name=@broker@ address=@address@ port=@port@ auto-connect=no
    :set brokerIds [/iot/mqtt/brokers/find where name=@broker@]
  }
  :local brokerId ($brokerIds->0)
  /iot/mqtt/brokers/set $brokerId address=@address@ port=@port@ ssl=@ssl@
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
  :do { /iot/mqtt/connect broker=@broker@ } on-error={}
  :put "wgmqtt: installed. Delete the imported file: it holds a password."
}
