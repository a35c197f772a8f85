"""The command line: one file a command, one table of commands, one place that catches, prints and exits."""
