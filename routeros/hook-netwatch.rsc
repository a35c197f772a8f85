
# 4. From --wan-hook netwatch: a watch on the hub's tunnel address. Its probe every 5 s shows the hub the router's new
# address soon after a change. When the hub answers again after an outage, the script below runs.
{
  :local wgmqttHook @hook@
  :if ([:len [/tool/netwatch/find where comment="wgmqtt"]] = 0) do={
    /tool/netwatch/add comment="wgmqtt" host=@hubTunnel@ type=simple
  }
  # Without these two settings the watch starts 5 minutes after a reboot, and its script runs at the first answer, too.
  :local watchId ([/tool/netwatch/find where comment="wgmqtt"]->0)
  /tool/netwatch/set $watchId startup-delay=10s ignore-initial-up=yes
  /tool/netwatch/set $watchId host=@hubTunnel@ type=simple interval=5s timeout=1s up-script=$wgmqttHook
  :put "wgmqtt: netwatch entry set"
}
