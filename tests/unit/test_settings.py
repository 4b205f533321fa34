"""Settings: what is wrong is named in one line, with what is allowed and without a password."""

import os
from pathlib import Path

import pytest

from engine.settings import InvalidSettings, Settings, load_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and no setting of the machine's own."""
    for name in [name for name in os.environ if name.startswith("ENGINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ENGINE_HOME", str(tmp_path))
    return tmp_path


def refused() -> str:
    """What is said of the settings as they are."""
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_without_settings_everything_lies_under_home(home: Path) -> None:
    settings = load_settings()
    assert settings.database == f"sqlite:///{home}/var/engine.db"
    assert settings.queue == f"sqlite:///{home}/var/queue.db"
    assert settings.storage == f"file://{home}/var/artifacts"
    assert settings.schedules_file == home / "schedules.yaml"
    assert settings.source_urls == {}


def test_absolute_paths_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ENGINE_DATABASE_URL", f"sqlite:///{tmp_path}/elsewhere/e.db")
    monkeypatch.setenv("ENGINE_QUEUE_URL", "redis://localhost:6379/3")
    monkeypatch.setenv("ENGINE_STORAGE_URL", f"file://{tmp_path}/files")
    monkeypatch.setenv("ENGINE_SCHEDULES", f"{tmp_path}/plan.yaml")
    settings = load_settings()
    assert settings.database == f"sqlite:///{tmp_path}/elsewhere/e.db"
    assert settings.queue == "redis://localhost:6379/3"
    assert settings.storage == f"file://{tmp_path}/files"
    assert settings.schedules_file == tmp_path / "plan.yaml"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://clerk:p%40ss@db.internal:5432/engine?sslmode=verify-full",
        "postgresql:///engine?host=/run/postgresql",
    ],
)
def test_a_ledger_on_a_server_is_handed_on_as_it_is(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("ENGINE_DATABASE_URL", url)
    settings = load_settings()
    assert settings.database == settings.environment()["ENGINE_DATABASE_URL"] == url


def test_sources_are_named_in_lower_case(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("ENGINE_SOURCES__CANTEEN", "sqlite:///world/canteen.db")
    monkeypatch.setenv("ENGINE_SOURCES__BERKA", "data/berka")
    monkeypatch.setenv("ENGINE_SOURCES__MAIN", "postgresql://u:p@db/wallets")
    assert load_settings().source_urls == {
        "canteen": f"sqlite:///{home}/world/canteen.db",
        "berka": f"{home}/data/berka",
        "main": "postgresql://u:p@db/wallets",
    }


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    (home / ".env").write_text("ENGINE_SCHEDULES=file.yaml\nOTHER=1\nENGINE_VAR_X=free\n")
    assert load_settings().schedules == Path("file.yaml")
    monkeypatch.setenv("ENGINE_SCHEDULES", "environment.yaml")
    assert load_settings().schedules == Path("environment.yaml")


def test_what_a_variable_calls_a_secret_is_one(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    (home / ".env").write_text("GATEWAY_API_KEY=key-of-the-file\nGATEWAY_URL=http://x\n")
    monkeypatch.setenv("CORE_BANK_PASSWORD", "pass-of-the-bank")
    monkeypatch.setenv("ENGINE_SECRET_VAR_HOOK", "hook-of-the-shop")
    secrets = load_settings().secrets
    assert {"key-of-the-file", "pass-of-the-bank", "hook-of-the-shop"} <= set(secrets)
    monkeypatch.setenv("OLDPWD", "/srv/engine")
    assert not {"http://x", "/srv/engine"} & set(load_settings().secrets)


def test_another_process_is_given_the_same_settings(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("ENGINE_SOURCES__CANTEEN", "sqlite:///world/canteen.db")
    settings = load_settings()
    monkeypatch.chdir("/")
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    other = load_settings()
    assert other.environment() == settings.environment()
    assert other.database == settings.database


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ENGINE_QEUE_URL", "x", "no such setting; did you mean ENGINE_QUEUE_URL? known: "),
        ("ENGINE_ZZZ", "x", "no such setting; known: ENGINE_DATABASE_URL, "),
        ("ENGINE_HOME", "/no/such/folder", "no such folder (is '/no/such/folder')"),
        (
            "ENGINE_DATABASE_URL",
            "mysql://db/x",
            "start with sqlite:// or postgresql:// (is 'mysql:",
        ),
        ("ENGINE_DATABASE_URL", "postgresql:///engine", "a host is missing, such as postgresql://"),
        ("ENGINE_DATABASE_URL", "postgresql://db:5432", "a database is missing, such as postgres"),
        ("ENGINE_DATABASE_URL", "sqlite://", "a path is missing, such as sqlite:///var/data"),
        ("ENGINE_QUEUE_URL", "amqp://x", "a URL must start with sqlite:// or redis:// or redis"),
        ("ENGINE_QUEUE_URL", "redis://", "a host is missing, such as redis://localhost:6379/0"),
        ("ENGINE_QUEUE_URL", "redis://h:port", "the port is no number from 1 to 65535; write red"),
        ("ENGINE_QUEUE_URL", "redis://h:6379/one", "the database is a number, such as redis://"),
        ("ENGINE_QUEUE_URL", "postgres://h/d", "write postgresql:// instead of postgres://"),
        ("ENGINE_DATABASE_URL", "postgres://h/d", "write postgresql:// instead of postgres://"),
        ("ENGINE_DATABASE_URL", "postgresql://h:99999/d", "write postgresql://localhost:5432/engi"),
        ("ENGINE_DATABASE_URL", "postgresql://a:1,b:2/d", "one host is due, such as postgresql://"),
        ("ENGINE_STORAGE_URL", "s3:///prefix", "a bucket is missing, such as s3://bucket/prefix"),
        ("ENGINE_STORAGE_URL", "s3:bucket", "a bucket is missing, such as s3://bucket/prefix"),
        ("ENGINE_STORAGE_URL", "s3://h:9000/b", "write s3://bucket/prefix; the server is set as"),
        ("ENGINE_STORAGE_URL", "s3://k:s@b/p", "credentials belong into AWS_ACCESS_KEY_ID and AW"),
        ("ENGINE_STORAGE_URL", "sftp://h:port/x", "write sftp://user@host:22/path"),
        ("ENGINE_STORAGE_URL", "var/files", "a URL must start with file:// or s3:// or sftp://"),
        ("ENGINE_METRICS", "127.0.0.1", "a host and a port, such as 127.0.0.1:9464"),
        ("ENGINE_METRICS", "localhost:0", "a port is a number from 1 to 65535"),
        ("ENGINE_FOUR_EYES", "perhaps", "should be a valid boolean"),
        ("ENGINE_DATABASE_URL", "sqlite:////dev/null/e.db", "/dev/null is not a folder that can"),
        ("ENGINE_SOURCES", "{}", "no such setting; did you mean ENGINE_SOURCES__? known: "),
    ],
)
def test_what_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    text = refused()
    assert text.startswith(f"{name}: ")
    assert said in text


def test_a_misspelt_name_in_the_file_is_named_too(home: Path) -> None:
    (home / ".env").write_text("ENGINE_DATABASE_ULR=x\n")
    assert "did you mean ENGINE_DATABASE_URL?" in refused()


def test_a_source_needs_a_plain_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_SOURCES__A-B", "sqlite:///x.db")
    assert "source name 'a-b' must match [a-z0-9][a-z0-9_]*" in refused()


def test_a_file_where_a_folder_should_be_is_named(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    (home / "var").touch()
    assert f"{home}/var is not a folder that can be written to" in refused()


LETTERS = {"@": "%40", "/": "%2F", "#": "%23", "?": "%3F", "[": "%5B", "]": "%5D", "%": "%25"}


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("ENGINE_DATABASE_URL", "postgresql://clerk:{password}@db/engine"),
        ("ENGINE_QUEUE_URL", "redis://:{password}@queue:6379/0"),
        ("ENGINE_STORAGE_URL", "sftp://clerk:{password}@files/srv"),
        ("ENGINE_SOURCES__CANTEEN", "mysql://clerk:{password}@db/canteen"),
        ("ENGINE_SOURCES__CANTEEN", "postgresql://clerk:{password}@db:5432/canteen"),
    ],
)
def test_a_password_that_is_not_escaped_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, url: str, letter: str
) -> None:
    monkeypatch.setenv(name, url.format(password=f"se{letter}cret"))
    text = refused()
    assert f"a {letter} in a user or password is written {LETTERS[letter]}" in text
    assert text.startswith(name.partition("__")[0])
    assert "cret" not in text
    monkeypatch.setenv(name, url.format(password=f"se{LETTERS[letter]}cret"))
    load_settings()


@pytest.mark.parametrize("letter", ["/", "?", "#"])
@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("ENGINE_DATABASE_URL", "postgresql://clerk:{password}@127.0.0.1:5432/engine"),
        ("ENGINE_QUEUE_URL", "redis://:{password}@127.0.0.1:6379/0"),
        ("ENGINE_STORAGE_URL", "sftp://clerk:{password}@files/srv"),
        ("ENGINE_SOURCES__CANTEEN", "mysql://clerk:{password}@db/canteen?ssl_ca=/etc/a@b.pem"),
    ],
)
def test_what_is_behind_a_stray_at_is_not_taken_for_the_host(
    monkeypatch: pytest.MonkeyPatch, name: str, url: str, letter: str
) -> None:
    monkeypatch.setenv(name, url.format(password=f"hush@se{letter}cret"))
    text = refused()
    assert f"a @ in a user or password is written %40, a {letter} {LETTERS[letter]}" in text
    assert not [part for part in ("hush", "cret") if part in text]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db-1:5432,db-2:5432/canteen?target_session_attrs=any",
        "postgresql:///canteen?host=/run/postgresql",
        "postgresql://[::1]:5432/canteen",
        "mysql://reader:p%40%2F@db:3306/canteen?ssl_ca=/etc/a@b.pem",
        "mariadb://db/canteen",
        "file:///srv/a@b:c",
    ],
)
def test_other_ways_to_write_a_source_are_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ENGINE_SOURCES__CANTEEN", url)
    assert load_settings().source_urls["canteen"] == url


def test_a_wrong_port_of_a_source_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_SOURCES__CANTEEN", "mysql://u:secret@db:33o6/canteen")
    assert refused() == (
        "ENGINE_SOURCES: canteen: the port is no number from 1 to 65535; "
        "write mysql://localhost:3306/canteen"
    )


@pytest.mark.parametrize(
    "url",
    [
        "amqp://user:secret@host/x",
        "redis://user:sec:ret@ho st:x/0",
        "redis://:secret@:1/0",
        "redis:///:secret@queue/0",
    ],
)
def test_a_password_is_never_shown(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ENGINE_QUEUE_URL", url)
    text = refused()
    assert "secret" not in text
    assert "sec:ret" not in text
    assert ":***@" in text


def test_the_secret_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE_SECRET_KEY", "hush" * 10)
    settings = load_settings()
    assert "hush" not in f"{settings!r} {settings}"


def test_every_setting_can_be_set_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        if field not in {"home", "sources"}:
            monkeypatch.setenv(f"ENGINE_{field.upper()}", "")
    with pytest.raises(InvalidSettings):  # empty URLs are wrong, but no name is unknown
        load_settings()
