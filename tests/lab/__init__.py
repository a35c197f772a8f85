"""Tests of the lab itself, and tests of the product that need it."""
