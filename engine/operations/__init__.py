"""What operators do and see; the command line and a console share it."""
