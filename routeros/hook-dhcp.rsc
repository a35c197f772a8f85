
# 4. From --wan-hook dhcp: the script of the DHCP client on @wanName@ runs when it gets an address.
# A script of your own is never replaced.
{
  :local wgmqttHook @hook@
  :local clients [/ip/dhcp-client/find where interface=@wan@]
  :if ([:len $clients] != 1) do={
    :put "warning: there is no DHCP client on @wanName@: no hook was set"
  } else={
    :local current [:tostr [/ip/dhcp-client/get ($clients->0) script]]
    :if ([:len $current] = 0 or $current ~ "^# wgmqtt:") do={
      /ip/dhcp-client/set ($clients->0) script=$wgmqttHook
      :put "wgmqtt: DHCP client script set"
    } else={
      :put "warning: the DHCP client on @wanName@ has a script of its own. Add these lines to it by hand:"
      :put $wgmqttHook
    }
  }
}
