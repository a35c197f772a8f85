"""An emulator of RouterOS: it runs the scripts that `wgmqtt gen-rsc` prints, and stops at what it does not know."""
