"""The menus that scripts use: MQTT, WireGuard, certificates, system."""
