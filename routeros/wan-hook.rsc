# wgmqtt: the router's address may have changed: show it to the hub and reconnect.
:do { /tool/ping address=@hubTunnel@ count=3 interval=200ms } on-error={}
:do { /iot/mqtt/disconnect broker=@broker@ } on-error={}
:delay 1s
:do { /iot/mqtt/connect broker=@broker@ } on-error={}
