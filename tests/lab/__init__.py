"""Tests of the lab itself, and of the product in it."""
