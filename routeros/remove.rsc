# wgmqtt @version@: removes from router @router@ what the wgmqtt script added, and nothing else.
# The endpoints of the WireGuard peers stay as they are.

# 1. What --wan-hook added, known by its comment or by the first word of its text; the handler's counters; and the
# certificates that the script imported for TLS, known by the beginning of their names.
{
  :foreach watchId in=[/tool/netwatch/find where comment="wgmqtt"] do={ /tool/netwatch/remove $watchId }
  :foreach clientId in=[/ip/dhcp-client/find] do={
    :local current [:tostr [/ip/dhcp-client/get $clientId script]]
    :if ($current ~ "^# wgmqtt:") do={ /ip/dhcp-client/set $clientId script="" }
  }
  :foreach profileId in=[/ppp/profile/find] do={
    :local current [:tostr [/ppp/profile/get $profileId on-up]]
    :if ($current ~ "^# wgmqtt:") do={ /ppp/profile/set $profileId on-up="" }
  }
  :foreach counter in={"wgmqttTurn";"wgmqttSince";"wgmqttWrites";"wgmqttPings"} do={
    :foreach counterId in=[/system/script/environment/find where name=$counter] do={
      /system/script/environment/remove $counterId
    }
  }
  :foreach certificateId in=[/certificate/find where name~"^wgmqtt-ca-"] do={
    :do { /certificate/remove $certificateId } on-error={}
  }
  :foreach certificateId in=[/certificate/find where name~"^wgmqtt-ca-"] do={
    :put ("warning: cannot remove the certificate " . [/certificate/get $certificateId name])
  }
}

# 2. The entries of /iot/mqtt. Without the package RouterOS does not know the commands below.
{
  :if ([:len [/system/package/find where name="iot" disabled=no]] = 0) do={
    :error "wgmqtt: the package iot is missing, so there is no broker entry to remove. Everything else is removed."
  }
}
{
  :local brokerIds [/iot/mqtt/brokers/find where name=@broker@]
  :local found [:len $brokerIds]
  :if ($found > 0) do={
    /iot/mqtt/brokers/set ($brokerIds->0) auto-connect=no
    :do { /iot/mqtt/disconnect broker=@broker@ } on-error={}
    :foreach topicId in=[/iot/mqtt/subscriptions/find] do={
      :local owner [:tostr [/iot/mqtt/subscriptions/get $topicId broker]]
      :if ($owner = @broker@ or $owner = [:tostr ($brokerIds->0)]) do={ /iot/mqtt/subscriptions/remove $topicId }
    }
    /iot/mqtt/brokers/remove ($brokerIds->0)
  }
  # A subscription of wgmqtt whose broker entry was removed by hand.
  :foreach topicId in=[/iot/mqtt/subscriptions/find where topic=@topic@] do={
    :local owner [:tostr [/iot/mqtt/subscriptions/get $topicId broker]]
    :if ([:len [/iot/mqtt/brokers/find where name=$owner]] = 0) do={
      /iot/mqtt/subscriptions/remove $topicId
      :set found ($found + 1)
    }
  }
  :if ($found > 0) do={ :put "wgmqtt: removed." } else={ :put "wgmqtt: nothing to remove." }
}
