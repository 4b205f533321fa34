"""The process that carries out runs, and its client of the fork server."""
