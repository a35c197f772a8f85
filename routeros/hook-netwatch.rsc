
# 4. Asked for by --wan-hook netwatch: a watch on the hub's tunnel address. Its own probe, every 5 s, lets the hub hear
# this router soon after a change; when the hub answers again after a gap, the script below runs.
{
  :local wgmqttHook @hook@
  :local ours [/tool/netwatch/find where comment="wgmqtt"]
  :if ([:len $ours] = 0) do={
    /tool/netwatch/add comment="wgmqtt" host=@hubTunnel@ type=simple interval=5s timeout=1s up-script=$wgmqttHook
  } else={
    /tool/netwatch/set ($ours->0) host=@hubTunnel@ type=simple interval=5s timeout=1s up-script=$wgmqttHook
  }
  :put "wgmqtt: netwatch entry set"
}
