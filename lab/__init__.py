"""The lab: networks, RouterOS sites, demo and measurements. Tests use it; it is not shipped. Pure."""
