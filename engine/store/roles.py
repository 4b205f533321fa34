"""Roles: what a user may do; each may do what the ones before it may."""

from enum import StrEnum


class Role(StrEnum):
    """Looks; works with runs and queues; decides about failed runs; manages users and keys."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Whether it may do what that one may."""
        order = [*Role]
        return order.index(self) >= order.index(needed)
