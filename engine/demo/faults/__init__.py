"""Planted faults: each kind does one thing that happens to real wallets, and says what it did.

A kind is a function from one `History` (or two) to what the checks must find, in the module of
where it hurts: `balances`, `entries`, `chains`, `seconds`, `copies`, `strays`, `overdrafts`; some
are innocent and must be found as nothing. To add one, write it and add a line to
`KINDS` in `kinds`; the tests settle every kind by brute force and so prove what it says.
"""
