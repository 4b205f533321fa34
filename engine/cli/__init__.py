"""The command line: one file a noun; `main` joins them and turns errors into exit codes."""
