"""What runs beside a worker: the fork server and, forked from it, one process per attempt."""
