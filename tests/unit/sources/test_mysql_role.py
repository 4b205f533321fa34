"""What SHOW GRANTS says, as MySQL 8 and MariaDB write it."""

import pytest

from engine.sources.faults import MayWrite
from engine.sources.mysql_role import require_reader, roles_in

READING = [
    "GRANT USAGE ON *.* TO `reader`@`%`",
    "GRANT USAGE ON *.* TO `reader`@`%` IDENTIFIED BY PASSWORD '*B69027D44F6E'",
    "GRANT USAGE ON *.* TO `reader`@`%` REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 5",
    "GRANT SELECT, PROCESS, SHOW DATABASES ON *.* TO `reader`@`10.0.0.%`",
    "GRANT SELECT (`id`, `a,b`), SHOW VIEW ON `canteen`.`wallets` TO `reader`@`%`",
    "GRANT `role`@`%`,`other`@`%` TO `reader`@`%`",
    "GRANT `group` TO `reader`@`%` WITH ADMIN OPTION",
    "SET DEFAULT ROLE `group` FOR `reader`@`%`",
    "REVOKE SELECT ON `mysql`.* FROM `reader`@`%`",
]
# With what the refusal says: which right it is, and how it is taken away.
WRITING = {
    "GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION": (
        "the right ALL PRIVILEGES on *.*; a source is read under a role that cannot write. Make one"
    ),
    "GRANT SELECT, INSERT ON `canteen`.* TO `reader`@`%`": (
        "REVOKE INSERT ON `canteen`.* FROM `reader`@`%`"
    ),
    "GRANT SELECT (`a`), UPDATE (`balance`, `b`) ON `canteen`.`wallets` TO `reader`@`%`": (
        "REVOKE UPDATE (`balance`, `b`) ON `canteen`.`wallets` FROM `reader`@`%`"
    ),
    "GRANT BACKUP_ADMIN,SUPER ON *.* TO `reader`@`%`": "REVOKE BACKUP_ADMIN ON *.* FROM `reader`",
    "GRANT SUPER ON *.* TO `reader`@`%`": "REVOKE SUPER ON *.* FROM `reader`@`%`",
    "GRANT FILE ON *.* TO `reader`@`%`": "REVOKE FILE ON *.* FROM `reader`@`%`",
    "GRANT EVENT, TRIGGER ON `canteen`.* TO `reader`@`%`": "REVOKE EVENT ON `canteen`.* FROM",
    "GRANT EXECUTE ON `canteen`.* TO `reader`@`%`": "REVOKE EXECUTE ON `canteen`.* FROM",
    "GRANT EXECUTE ON PROCEDURE `canteen`.`sum` TO `reader`@`%`": (
        "REVOKE EXECUTE ON PROCEDURE `canteen`.`sum` FROM `reader`@`%`"
    ),
    "GRANT INSERT ON `canteen`.* TO `group`": "the right INSERT on `canteen`.* through `group`",
    "GRANT INSERT ON `canteen`.* TO PUBLIC": "REVOKE INSERT ON `canteen`.* FROM PUBLIC",
    "GRANT SELECT ON `canteen`.* TO `reader`@`%` WITH GRANT OPTION": (
        "REVOKE GRANT OPTION ON `canteen`.* FROM `reader`@`%`"
    ),
    "GRANT PROXY ON ``@`` TO `reader`@`%`": "REVOKE PROXY ON ``@`` FROM `reader`@`%`",
    "GRANT what nobody knows": "'GRANT what nobody knows'",
}


def require(grants: list[str]) -> None:
    require_reader(grants, source="canteen", role="reader@%", database="can`teen")


def test_whoever_may_only_read_is_taken() -> None:
    require(READING)


@pytest.mark.parametrize("grant", WRITING)
def test_a_right_to_write_is_named_with_what_to_do(grant: str) -> None:
    with pytest.raises(MayWrite) as told:
        require([*READING, grant])
    assert WRITING[grant] in str(told.value)
    assert "GRANT SELECT ON `can``teen`.* TO engine_reader" in str(told.value)


def test_roles_are_found_as_they_are_written() -> None:
    assert roles_in(READING) == ["`role`@`%`,`other`@`%`", "`group`"]
