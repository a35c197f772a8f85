
# 4. Asked for by --wan-hook dhcp: the script of the DHCP client on @wanName@ runs when it gets an address.
# A script that stands there already is yours: it is never replaced.
{
  :local wgmqttHook @hook@
  :local clients [/ip/dhcp-client/find where interface=@wan@]
  :if ([:len $clients] != 1) do={
    :put "warning: there is no DHCP client on @wanName@: no hook was set"
  } else={
    :local present [:tostr [/ip/dhcp-client/get ($clients->0) script]]
    :if ([:len $present] = 0 or $present ~ "^# wgmqtt:") do={
      /ip/dhcp-client/set ($clients->0) script=$wgmqttHook
      :put "wgmqtt: DHCP client script set"
    } else={
      :put "warning: the DHCP client on @wanName@ has a script of its own. Add these lines to it by hand:"
      :put $wgmqttHook
    }
  }
}
