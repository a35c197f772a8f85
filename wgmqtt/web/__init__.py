"""The status page and the metrics: an MQTT client on one side, an HTTP server on the other."""
