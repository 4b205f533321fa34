"""The demo: a seeded canteen-wallet world with planted faults, and the truth about them.

`world.py` builds it, `truth.py` says what must be found; to plant another kind of fault, see
`faults`.
"""
