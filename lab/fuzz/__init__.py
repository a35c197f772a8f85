"""Hostile tables for the emitted script, run on a router in memory."""
