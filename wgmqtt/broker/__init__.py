"""The connection to the MQTT broker, and the files that configure mosquitto."""
