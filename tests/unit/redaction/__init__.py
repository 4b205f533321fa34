"""What is hidden of texts and of data."""
