"""What the benchmark of exports is made of: payments, who writes them, and what that took."""
