
# 4. From --wan-hook ppp: on-up of the PPP profile @wanName@ runs when its connection comes up.
# A script of your own is never replaced.
{
  :local wgmqttHook @hook@
  :local profiles [/ppp/profile/find where name=@wan@]
  :if ([:len $profiles] != 1) do={
    :put "warning: there is no PPP profile @wanName@: no hook was set"
  } else={
    :local current [:tostr [/ppp/profile/get ($profiles->0) on-up]]
    :if ([:len $current] = 0 or $current ~ "^# wgmqtt:") do={
      /ppp/profile/set ($profiles->0) on-up=$wgmqttHook
      :put "wgmqtt: PPP profile script set"
    } else={
      :put "warning: the PPP profile @wanName@ has a script of its own. Add these lines to it by hand:"
      :put $wgmqttHook
    }
  }
}
