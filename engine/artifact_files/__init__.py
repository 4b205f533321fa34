"""Artifact files: kept on a storage, whole or not at all; a module for each kind of storage."""
