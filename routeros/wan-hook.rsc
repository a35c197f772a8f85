# wgmqtt: the address may be another one now: let the hub hear this router, connect anew.
:do { /tool/ping address=@hubTunnel@ count=3 interval=200ms } on-error={}
:do { /iot/mqtt/disconnect broker=@broker@ } on-error={}
:delay 1s
:do { /iot/mqtt/connect broker=@broker@ } on-error={}
