
# 4. From --wan-hook netwatch: a watch on the hub's tunnel address. Its probe every 5 s shows the hub the router's new
# address soon after a change. When the hub answers again after an outage, the script below runs.
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
