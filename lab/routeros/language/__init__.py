"""The RouterOS scripting language: syntax, values, commands."""
