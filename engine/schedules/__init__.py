"""What runs when: schedules.yaml, read and checked, and the arithmetic of its instants.

`loader.load_schedules` reads the file; a `Schedule` holds a `Trigger`. A new kind of trigger is a
file beside `cron.py` and `interval.py`, a key in `entry.py`, and a line in `entry.trigger`. A new
token is a line in `tokens.TOKENS`. `cron.py` is the one home of cronsim.
"""
