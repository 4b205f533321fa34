"""Effects: what must happen once, whatever happens to the attempt."""
