"""RouterOS's MQTT client."""
