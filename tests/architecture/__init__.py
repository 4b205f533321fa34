"""The structure of the code, tested."""
