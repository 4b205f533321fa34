"""Huey, as a doorbell: its storages carry run ids, its consumer runs the worker's threads.

A queue backend is one line in `backends.BACKENDS`.
"""
