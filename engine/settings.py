"""Settings: `ENGINE_*` from the environment and `.env`, checked before anything starts."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from engine.errors import Invalid
from engine.redaction.names import is_secret_name
from engine.redaction.urls import passwords_in, without_password
from engine.sealing import KeyFile, Keys
from engine.secret_references import SecretSource, secrets_of
from engine.urls import (
    is_server,
    path_of,
    require_address,
    require_database,
    require_scheme,
    require_server,
)

# Read by `${env:X}` and `${secret:X}` in YAML, by people's tools, or by a later part.
_OPEN_PREFIXES = ("ENGINE_SOURCES__", "ENGINE_DATABASES__", "ENGINE_VAR_", "ENGINE_SECRET_VAR_")
# Of the client of S3, which reads the environment and knows no other way to say all it may be told.
_CLIENT_PREFIX = "AWS_"
# Whether a path is all that the URL of such a database has.
_DATABASES = {"sqlite": True, "postgresql": False, "mysql": False, "mariadb": False}
# Of a shell: where it is and was, and no passwords.
_FOLDERS = frozenset({"PWD", "OLDPWD"})
_SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")


class InvalidSettings(Invalid):
    """A setting is wrong; the message names it, its value and what is allowed."""

    message = "{name}: {text}"


_OFF = frozenset({"off", "false", "0", ""})


class Settings(BaseSettings):
    """Where everything is. Relative paths are relative to `home`."""

    model_config = SettingsConfigDict(
        env_prefix="ENGINE_", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    home: Path = Path()
    database_url: str = "sqlite:///var/engine.db"
    queue_url: str = "sqlite:///var/queue.db"
    storage_url: str = "file://var/artifacts"
    sources: dict[str, str] = Field(default_factory=dict)
    databases: dict[str, str] = Field(default_factory=dict)
    schedules: Path = Path("schedules.yaml")
    secret_key: SecretStr | None = None
    secrets_dir: Path | None = None
    metrics: str = "127.0.0.1:9464"
    four_eyes: bool = False

    @field_validator("home")
    @classmethod
    def _home_is_a_folder(cls, home: Path) -> Path:
        if not home.is_dir():
            raise ValueError("no such folder")
        return home.resolve()

    @field_validator("database_url")
    @classmethod
    def _ledger_is_known(cls, url: str) -> str:
        return require_database(require_scheme(url, {"sqlite": True, "postgresql": False}))

    @field_validator("queue_url")
    @classmethod
    def _queue_is_known(cls, url: str) -> str:
        return require_scheme(
            url, {"sqlite": True, "redis": False, "rediss": False, "postgresql": False}
        )

    @field_validator("storage_url")
    @classmethod
    def _storage_is_known(cls, url: str) -> str:
        return require_scheme(url, {"file": True, "s3": False, "sftp": False})

    @field_validator("secret_key")
    @classmethod
    def _key_is_long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key is None or not key.get_secret_value():
            return None
        Keys.parse(key.get_secret_value())
        return key

    @field_validator("secrets_dir")
    @classmethod
    def _no_secrets_without_a_folder(cls, folder: Path | None) -> Path | None:
        return folder if folder and str(folder) != "." else None

    @field_validator("metrics")
    @classmethod
    def _metrics_have_an_address(cls, address: str) -> str:
        return "off" if address.lower() in _OFF else require_address(address)

    @field_validator("sources")
    @classmethod
    def _sources_are_named(cls, sources: dict[str, str]) -> dict[str, str]:
        named = {name.lower(): url for name, url in sources.items()}
        for name in named:
            if not _SOURCE_NAME.fullmatch(name):
                raise ValueError(f"source name {name!r} must match [a-z0-9][a-z0-9_]*")
            if is_server(named[name]):
                try:
                    require_server(named[name])
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
        return named

    @field_validator("databases")
    @classmethod
    def _databases_are_known(cls, databases: dict[str, str]) -> dict[str, str]:
        named = {name.lower(): url for name, url in databases.items()}
        for name, url in named.items():
            if not _SOURCE_NAME.fullmatch(name):
                raise ValueError(f"database name {name!r} must match [a-z0-9][a-z0-9_]*")
            try:
                require_database(require_scheme(url, _DATABASES))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return named

    @cached_property
    def database(self) -> str:
        """The ledger's URL; a SQLite one with an absolute path."""
        if is_server(self.database_url):
            return self.database_url
        return "sqlite:///" + str(self._under_home(self.database_url))

    @cached_property
    def queue(self) -> str:
        """The queue's URL; a SQLite one with an absolute path."""
        if not self.queue_url.startswith("sqlite:"):
            return self.queue_url
        return "sqlite:///" + str(self._under_home(self.queue_url))

    @cached_property
    def storage(self) -> str:
        """The artifacts' URL; a folder's with an absolute path."""
        if is_server(self.storage_url):
            return self.storage_url
        return "file://" + str(self._under_home(self.storage_url))

    @cached_property
    def source_urls(self) -> Mapping[str, str]:
        """The sources by name; those that are paths are absolute."""
        return {
            name: url if is_server(url) else self._absolute(url)
            for name, url in self.sources.items()
        }

    @cached_property
    def database_urls(self) -> Mapping[str, str]:
        """The databases that jobs work in, by name; SQLite ones with absolute paths."""
        return {
            name: url if is_server(url) else "sqlite:///" + str(self._under_home(url))
            for name, url in self.databases.items()
        }

    def environment(self) -> dict[str, str]:
        """The same settings for another process; every path is absolute."""
        return {
            "ENGINE_HOME": str(self.home),
            "ENGINE_DATABASE_URL": self.database,
            "ENGINE_QUEUE_URL": self.queue,
            "ENGINE_STORAGE_URL": self.storage,
            "ENGINE_SCHEDULES": str(self.schedules_file),
            "ENGINE_SECRETS_DIR": str(self.secrets_folder or ""),
            **{f"ENGINE_SOURCES__{name.upper()}": url for name, url in self.source_urls.items()},
            **{
                f"ENGINE_DATABASES__{name.upper()}": url for name, url in self.database_urls.items()
            },
        }

    @property
    def secrets(self) -> list[str]:
        """Every password and key of the environment and .env, as it is written there.

        What the name of a variable says to be one is one, whoever reads it.
        """
        urls = (
            *(self.database_url, self.queue_url, self.storage_url),
            *(*self.sources.values(), *self.databases.values()),
        )
        variables = {**dotenv_values(self.home / ".env"), **os.environ}
        named = [
            value
            for name, value in variables.items()
            if (is_secret_name(name) and name not in _FOLDERS)
            or name.startswith("ENGINE_SECRET_VAR_")
        ]
        keys = [*(variables.get("ENGINE_SECRET_KEY") or "").split(","), *self.key_file.texts()]
        passwords = (each for url in urls for each in passwords_in(url))
        return [*filter(None, (*named, *(key.strip() for key in keys))), *passwords]

    @property
    def secret_source(self) -> SecretSource:
        """Where `${secret:NAME}` is looked up."""
        return secrets_of(self.secrets_folder, dotenv_values(self.home / ".env"))

    @property
    def secrets_folder(self) -> Path | None:
        """Where a file is for each of them; None if there is none."""
        return self.home / self.secrets_dir if self.secrets_dir else None

    @property
    def known_keys(self) -> Keys | None:
        """The keys of this installation; None before there is one; raises InvalidKey."""
        if self.secret_key is not None:
            return Keys.parse(self.secret_key.get_secret_value())
        return None if is_server(self.database) else self.key_file.read()

    @property
    def key_file(self) -> KeyFile:
        """Where the key is that is made for a SQLite ledger."""
        return KeyFile(self.home / "var" / "secret.key")

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Host and port where metrics are served; None if they are not."""
        if self.metrics == "off":
            return None
        host, _, port = self.metrics.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def schedules_file(self) -> Path:
        """schedules.yaml as an absolute path."""
        return self.home / self.schedules

    @property
    def audit_folder(self) -> Path:
        """Where the heads of the audit are, outside the ledger."""
        return self.home / "var" / "audit"

    @property
    def spool_folder(self) -> Path:
        """Where files are written whole before they are stored."""
        return self.home / "var" / "spool"

    @property
    def reconciliations_folder(self) -> Path:
        """Where the reconciliation definitions are."""
        return self.home / "reconciliations"

    @property
    def reports_folder(self) -> Path:
        """Where the report definitions are."""
        return self.home / "reports"

    @property
    def templates_folder(self) -> Path:
        """Where the report templates are."""
        return self.home / "reports" / "templates"

    def _absolute(self, url: str) -> str:
        scheme, separator, _ = url.partition("://")
        if not separator:
            return str(self.home / url)
        slashes = "///" if scheme == "sqlite" else "//"
        return f"{scheme}:{slashes}{self._under_home(url)}"

    def _under_home(self, url: str) -> Path:
        return self.home / path_of(url)


def load_settings() -> Settings:
    """The settings of this process; raises InvalidSettings naming the first wrong one.

    What `.env` says to the clients of storages goes into the environment, where they look.
    """
    file = Path(os.environ.get("ENGINE_HOME", "."), ".env")
    try:
        given = dotenv_values(file)
        _refuse_unknown_names({**given, **os.environ})
        if "ENGINE_TOKEN" in given:
            raise InvalidSettings(name="ENGINE_TOKEN in .env", text=_IS_PERSONAL)
        for name, value in given.items():
            if name.startswith(_CLIENT_PREFIX) and value is not None:
                os.environ.setdefault(name, value)
    except UnicodeDecodeError as error:
        raise InvalidSettings(name=str(file), text=f"it is not UTF-8: {error}") from None
    try:
        settings = Settings(_env_file=file)
        _require_reachable(settings)
        return settings
    except SettingsError as error:
        raise InvalidSettings(
            name="ENGINE_SOURCES, ENGINE_DATABASES", text=f"{error}; set one name each"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        text = first["msg"].removeprefix("Value error, ")
        if name not in {"secret_key", "sources", "databases"}:
            text += f" (is {without_password(str(first['input']))!r})"
        # Not `name: text`, of which text is hidden as if it were the key.
        shown = f"ENGINE_{name.upper()}" + (" is of no use" if name == "secret_key" else "")
        raise InvalidSettings(name=shown, text=text) from None


_FIELDS = frozenset(Settings.model_fields)
_IS_PERSONAL = (
    "it says who you are, so it belongs in your own environment; there it would make everybody who "
    "works in this home the same user"
)


def _refuse_unknown_names(environment: Mapping[str, str | None]) -> None:
    fields = [f"ENGINE_{field.upper()}" for field in _FIELDS - {"sources", "databases"}]
    known = sorted([*fields, "ENGINE_TOKEN"])
    for name in sorted(environment):
        if not name.startswith("ENGINE_") or name in known or name.startswith(_OPEN_PREFIXES):
            continue
        # By what follows ENGINE_: with it, every two names are alike.
        own = {each.removeprefix("ENGINE_"): each for each in (*known, *_OPEN_PREFIXES)}
        close = get_close_matches(name.removeprefix("ENGINE_"), own, n=1)
        hint = f"did you mean {own[close[0]]}? " if close else ""
        raise InvalidSettings(name=name, text=f"no such setting; {hint}known: {', '.join(known)}")


def _require_reachable(settings: Settings) -> None:
    """Refuse a file or folder of ours whose nearest existing folder cannot be written to."""
    for name in ("database_url", "queue_url", "storage_url"):
        url = getattr(settings, name)
        if is_server(url):
            continue
        path = settings.home / path_of(url)
        folder = path if name == "storage_url" else path.parent
        nearest = next(each for each in (folder, *folder.parents) if each.exists())
        if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
            text = f"{nearest} is not a folder that can be written to (is {url!r})"
            raise InvalidSettings(name=f"ENGINE_{name.upper()}", text=text)
