"""One file a path through the engine; each prints a table of ratios against peers."""
