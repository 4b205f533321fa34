"""The doctor: why jobs are not processed, why they are slow. One file a family of causes."""
