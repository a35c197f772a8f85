"""What the tests and the demo assert, and the mutations of the script that these checks must catch."""
