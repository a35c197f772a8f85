"""RouterOS scripts, rendered from the templates in `routeros/`."""
