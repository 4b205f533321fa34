"""What the queue's benchmark runs beside us: one file a peer, each ending in its `PEERS`."""
