# wgmqtt @version@: takes away from router @router@ what the wgmqtt script made, and nothing else.
# The endpoints of the WireGuard peers stay as they are now.
{
  :if ([:len [/system/package/find where name="iot" disabled=no]] = 0) do={
    :error "wgmqtt: the package iot is missing, so there is nothing to remove."
  }
}
{
  :local brokerIds [/iot/mqtt/brokers/find where name=@broker@]
  :if ([:len $brokerIds] = 0) do={
    :put "wgmqtt: nothing to remove."
  } else={
    /iot/mqtt/brokers/set ($brokerIds->0) auto-connect=no
    :do { /iot/mqtt/disconnect broker=@broker@ } on-error={}
    :foreach topicId in=[/iot/mqtt/subscriptions/find where broker=@broker@] do={
      /iot/mqtt/subscriptions/remove $topicId
    }
    /iot/mqtt/brokers/remove ($brokerIds->0)
    :put "wgmqtt: removed."
  }
}
# What --wan-hook had set: known by its comment, or by the first word of its text.
{
  :foreach watchId in=[/tool/netwatch/find where comment="wgmqtt"] do={ /tool/netwatch/remove $watchId }
  :foreach clientId in=[/ip/dhcp-client/find] do={
    :local present [:tostr [/ip/dhcp-client/get $clientId script]]
    :if ($present ~ "^# wgmqtt:") do={ /ip/dhcp-client/set $clientId script="" }
  }
  :foreach profileId in=[/ppp/profile/find] do={
    :local present [:tostr [/ppp/profile/get $profileId on-up]]
    :if ($present ~ "^# wgmqtt:") do={ /ppp/profile/set $profileId on-up="" }
  }
}
