"""Checks: one question a module, asked of the staged tables; `catalog` lists them all."""
