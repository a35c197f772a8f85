"""A RouterOS site without a router: runs scripts that `wgmqtt gen-rsc` prints, refuses what it cannot judge. Pure."""
