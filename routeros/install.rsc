# wgmqtt @version@: script for router @router@, RouterOS @routeros@ or later of version 7
#
# What it does: this router subscribes to one topic of the MQTT broker @brokerAddress@.
# When the hub publishes the endpoints of the other routers there, the handler below sets the endpoints of the matching
# WireGuard peers, sends through their tunnels, and reports what it did.
# What it changes: one MQTT broker entry named @brokerName@, one subscription of it, and, when a table arrives,
# endpoint-address and endpoint-port of peers of interface @interfaceName@.@hookNote@
# Nothing else, and never the hub's own peer.
# How to remove it: import the script that "wgmqtt gen-rsc @routerName@ --remove" prints.
# If the import ends with a bare "syntax error", the package iot is not installed (see 1), or the file was damaged.
# This file contains a password: delete it from the router's files after the import.@authorityNote@

@review@# 1. The iot package. It has a block of its own because RouterOS does not know the later commands without the package.
{
  :if ([:len [/system/package/find where name="iot" disabled=no]] = 0) do={
    :error "wgmqtt: the package iot is missing. System, Packages: enable it, Apply Changes (7.17: reboot), try again."
  }
  # "7.20.8 (stable)": the two digits after the first dot. An older version such as 7.9 gives no number here.
  :local version [:tostr [/system/resource/get version]]
  :local minor [:tonum [:pick $version 2 4]]
  :if ([:typeof $minor] != "num") do={ :set minor 0 }
  :if ([:pick $version 0 2] != "7." or $minor < @routerosMinor@) do={
    :error ("wgmqtt: made for RouterOS @routeros@ or later of version 7, this is " . $version . ". Nothing was changed.")
  }
  :if ($version ~ "^7.24(.[0-4])?( |\$)") do={
    :put "warning: RouterOS 7.24 to 7.24.4 has bugs in find, in WireGuard peers and in the scheduler: upgrade to 7.24.5"
  }
  :local menu "no"
  :do { :local code [:parse "/iot/mqtt/brokers/find"]; :set menu "yes" } on-error={}
  :if ($menu = "no") do={ :error "wgmqtt: the package iot is not active. Apply Changes (7.17: reboot), import again." }
}

# 2. Checks, before anything is changed. What prevents the installation is an error; anything else is a warning.
{
  :local meshInterface @interface@
  :local hubKey @hubKey@
  # The public keys of the peers that this router has links to, each with an address that only this peer carries.
  :local linked ({})
@linked@
  :if ([:len [/interface/wireguard/find where name=$meshInterface]] != 1) do={
    :error ("wgmqtt: there is no WireGuard interface " . $meshInterface . ". Nothing was changed.")
  }
  :local warn do={ :put ("warning: " . $1) }
  :local year [:tonum [:pick [:tostr [/system/clock/get date]] 0 4]]
  :if ([:typeof $year] != "num") do={ :set year 0 }
  :if ($year < 2025) do={
    $warn "the clock is wrong: the hub rejects handshakes until it is right. Set up NTP (/system/ntp/client)"
  }
  # This command is parsed at run time: on a RouterOS without the menu it fails here, and nowhere else.
  :do {
    :local askNtp [:parse ":return [/system/ntp/client/get enabled]"]
    :if ([$askNtp] = false) do={
      $warn "NTP is off (/system/ntp/client): if a reboot sets the clock back, the hub rejects handshakes"
    }
  } on-error={}@authorityWarning@@certificateCheck@
  # How long this router's own firewall keeps a mapping of UDP that only one packet each way went through.
  :local udpTimeout ""
  :do { :set udpTimeout [/ip/firewall/connection/tracking/get udp-timeout] } on-error={}
  :local hubPrefixes ""
  :local hubPeers [/interface/wireguard/peers/find where interface=$meshInterface public-key=$hubKey]
  :if ([:len $hubPeers] = 0) do={
    $warn ("interface " . $meshInterface . " has no peer with the hub's public key: the hub must receive its packets")
  } else={
    :local keepalive [:tostr [/interface/wireguard/peers/get ($hubPeers->0) persistent-keepalive]]
    :if ($keepalive = "" or $keepalive = "00:00:00") do={
      $warn "the hub's peer has no persistent-keepalive: set 25s, or the hub does not learn where this router is"
    }
    :foreach prefix in=[/interface/wireguard/peers/get ($hubPeers->0) allowed-address] do={
      :set hubPrefixes ($hubPrefixes . "," . [:tostr $prefix] . ",")
    }
  }
  :put "wgmqtt: endpoints before this import:"
  :foreach key,pingTo in=$linked do={
    :local found [/interface/wireguard/peers/find where interface=$meshInterface public-key=$key]
    :if ([:len $found] != 1) do={
      $warn ("no peer " . $key . " on " . $meshInterface . ": add it, wgmqtt adds none")
    } else={
      :local peerId ($found->0)
      :local address [:tostr [/interface/wireguard/peers/get $peerId endpoint-address]]
      :local port [:tostr [/interface/wireguard/peers/get $peerId endpoint-port]]
      :put ("  " . $key . " endpoint-address=" . $address . " endpoint-port=" . $port)
      :local keepalive [:tostr [/interface/wireguard/peers/get $peerId persistent-keepalive]]
      :if ($keepalive = "" or $keepalive = "00:00:00") do={
        $warn ("peer " . $key . " has no persistent-keepalive: set 25s, or the NAT's mapping expires")
      }
      # A check that fails to run is skipped: that is no reason to stop.
      :do {
        :local disabled [:tostr [/interface/wireguard/peers/get $peerId disabled]]
        :if ($disabled = "true" or $disabled = "yes") do={
          $warn ("peer " . $key . " is disabled: wgmqtt leaves it alone until you enable it")
        }
      } on-error={}
      :do {
        :local responder [:tostr [/interface/wireguard/peers/get $peerId responder]]
        :if ($responder = "true" or $responder = "yes") do={
          $warn ("peer " . $key . " has responder=yes: it starts no handshake, set it to no")
        }
      } on-error={}
      :do {
        :local pause [/interface/wireguard/peers/get $peerId persistent-keepalive]
        :if ([:typeof $udpTimeout] = "time" and [:typeof $pause] = "time") do={
          :if ($udpTimeout < $pause) do={
            $warn ("udp-timeout " . $udpTimeout . " is below the keepalive of peer " . $key . ": see the next line")
            $warn "/ip/firewall/connection/tracking/set udp-timeout=30s, or a path can be open in one direction only"
          }
        }
      } on-error={}
      :do {
        :local carries false
        :foreach prefix in=[/interface/wireguard/peers/get $peerId allowed-address] do={
          :if ($pingTo in $prefix) do={ :set carries true }
          :if ([:typeof [:find $hubPrefixes ("," . [:tostr $prefix] . ",")]] = "num") do={
            $warn ("peer " . $key . " has the hub's prefix " . [:tostr $prefix] . ": it takes that traffic")
          }
        }
        :if (!$carries) do={
          $warn ("peer " . $key . " does not carry " . $pingTo . ": add it to its allowed-address")
        }
      } on-error={}
    }
  }
}

# 3. The handler, as the text that RouterOS runs for each message, and the entries of /iot/mqtt.
{
  :local wgmqttHandler @handler@
  :local parsed false
  :do { :local code [:parse $wgmqttHandler]; :set parsed true } on-error={}
  :if (!$parsed) do={ :error "wgmqtt: this RouterOS cannot parse the handler. Nothing was changed." }@authorityImport@

  # A new broker entry does not connect yet, because a subscription takes effect with the next connection only.
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
  :local isSubscribed false
  :foreach topicId in=[/iot/mqtt/subscriptions/find where topic=@topic@] do={
    :local owner [:tostr [/iot/mqtt/subscriptions/get $topicId broker]]
    :if ($owner = @broker@ or $owner = [:tostr $brokerId]) do={
      /iot/mqtt/subscriptions/set $topicId qos=1 on-message=$wgmqttHandler
      :set isSubscribed true
    }
  }
  :if (!$isSubscribed) do={
    /iot/mqtt/subscriptions/add broker=@broker@ topic=@topic@ qos=1 on-message=$wgmqttHandler
  }

  # Reconnect, so that the subscription takes effect and the table arrives at once.
  /iot/mqtt/brokers/set $brokerId auto-connect=yes
  :do { :if ([/iot/mqtt/brokers/get $brokerId connected]) do={ /iot/mqtt/disconnect broker=@broker@ } } on-error={}
  :do { /iot/mqtt/connect broker=@broker@ } on-error={}@authorityEnd@
  :put "wgmqtt: installed. Delete the imported file: it contains a password."
}
