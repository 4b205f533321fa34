"""Sealing: values that only the holder of this installation's key can read (AES-GCM)."""

import base64
import os
import secrets
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import ClassVar, Self

from engine.errors import Invalid

_VERSION = "v1"
# A sealed value is no shorter for a short secret: lengths are rounded up.
_BLOCK = 32
_SALT, _NONCE = 16, 12
_SHORTEST_KEY = 32
_MOST_KEYS = 2
HOW_TO_MAKE_ONE = "make one with `openssl rand -base64 32`"


class InvalidKey(Invalid):
    """The key of this installation is of no use."""

    message = "{name}: {text}"


class MissingKey(Invalid):
    """There is no key where none is made."""

    message = (
        "ENGINE_SECRET_KEY is not set; with a ledger on PostgreSQL none is made, for every process "
        "needs the same one: make one with `openssl rand -base64 32` and give it to all of them"
    )


class UnknownKey(Invalid):
    """A value was sealed under a key that is not here."""

    message = (
        "sealed under the key {key_id}, which is not here (here: {known}); put that key behind the "
        "new one in ENGINE_SECRET_KEY, with a comma between them"
    )


class SealBroken(Invalid):
    """A sealed value was changed, or is not of what it is found at."""

    message = (
        "a sealed value of {context} cannot be opened: it was changed, or is of something else"
    )


@dataclass(frozen=True)
class Keys:
    """The keys that are valid, one or two; everything new is sealed under the first."""

    _texts: Sequence[str] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """One key, or `new,old`; raises ValueError, which repeats none of them."""
        texts = [each.strip() for each in text.split(",")]
        if len(texts) > _MOST_KEYS:
            raise ValueError("at most two keys are valid at once: the new one, the old one")
        if any(len(each) < _SHORTEST_KEY for each in texts):
            raise ValueError(f"a key has {_SHORTEST_KEY} letters or more; {HOW_TO_MAKE_ONE}")
        if len(set(texts)) < len(texts):
            raise ValueError("both keys are the same one")
        return cls(tuple(texts))

    @cached_property
    def ids(self) -> Sequence[str]:
        """The name of each key, the first one's first; nothing of a key can be told from it."""
        return [_derived(each, "key id")[:4].hex() for each in self._texts]

    def require(self, key_id: str) -> str:
        """The key of that name; raises UnknownKey."""
        for known, each in zip(self.ids, self._texts, strict=True):
            if known == key_id:
                return each
        raise UnknownKey(key_id=key_id, known=", ".join(self.ids))

    def mac_key(self, purpose: str) -> bytes:
        """32 bytes for this purpose alone, from the first key."""
        return _derived(self._texts[0], f"mac: {purpose}")


@dataclass(frozen=True)
class Sealer:
    """Seals texts for one purpose, each with the context that it belongs to, and opens them."""

    keys: Keys
    purpose: str = "parameters"

    def seal(self, text: str, context: str) -> str:
        """The sealed text; it opens with the same context only."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key_id = self.keys.ids[0]
        random = os.urandom(_SALT + _NONCE)
        key = self._key(self.keys.require(key_id), random[:_SALT])
        data = text.encode()
        padded = data + b"\x80" + bytes(-(len(data) + 1) % _BLOCK)
        sealed = AESGCM(key).encrypt(random[_SALT:], padded, self._bound(key_id, context))
        return f"{_VERSION}.{key_id}.{base64.urlsafe_b64encode(random + sealed).decode()}"

    def open(self, sealed: str, context: str) -> str:
        """The text that was sealed; raises UnknownKey and SealBroken."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key_id = key_id_of(sealed)
        text = self.keys.require(key_id)
        try:
            written = sealed.rpartition(".")[2]
            data = base64.urlsafe_b64decode(written)
            if base64.urlsafe_b64encode(data).decode() != written:
                # Otherwise a few letters could be changed unseen, if to no effect.
                raise SealBroken(context=context)
            salt, nonce, rest = data[:_SALT], data[_SALT : _SALT + _NONCE], data[_SALT + _NONCE :]
            key = self._key(text, salt)
            padded = AESGCM(key).decrypt(nonce, rest, self._bound(key_id, context))
        except (InvalidTag, ValueError):
            raise SealBroken(context=context) from None
        return padded.rstrip(b"\0")[:-1].decode()

    def needs_reseal(self, sealed: str) -> bool:
        """Whether it is sealed under a key that is not the first."""
        return key_id_of(sealed) != self.keys.ids[0]

    def _key(self, text: str, salt: bytes) -> bytes:
        # One for each value: no number of values makes two share a key and a nonce.
        return _hkdf(text, f"seal: {self.purpose}", salt)

    def _bound(self, key_id: str, context: str) -> bytes:
        return f"{_VERSION}.{key_id}.{context}".encode()


def key_id_of(sealed: str) -> str:
    """The name of the key it was sealed under; raises SealBroken if it is no sealed value."""
    version, _, rest = sealed.partition(".")
    key_id, point, _ = rest.partition(".")
    if version != _VERSION or not point:
        raise SealBroken(context="an unknown form")
    return key_id


@dataclass(frozen=True)
class KeyFile:
    """The key of an installation that was given none: a file that only its owner may read."""

    path: Path
    private: ClassVar[int] = stat.S_IRUSR | stat.S_IWUSR

    def read(self) -> Keys | None:
        """What is in it; None if it is not there; raises InvalidKey, also if others may read it."""
        try:
            text = self.path.read_text(encoding="ascii").strip()
            mode = stat.S_IMODE(self.path.stat().st_mode)
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidKey(name=self.path, text=f"it cannot be read: {error}") from None
        if mode & ~self.private:
            raise InvalidKey(name=self.path, text=f"others may read it; chmod 600 {self.path}")
        try:
            return Keys.parse(text)
        except ValueError as error:
            raise InvalidKey(name=self.path, text=str(error)) from None

    def texts(self) -> Sequence[str]:
        """The keys in it, for those who hide them; none if it is not there or no use."""
        try:
            return self.path.read_text(encoding="ascii").strip().split(",")
        except (OSError, UnicodeDecodeError):
            return ()

    def made(self) -> Keys:
        """What is in it, made with a random key if it is not there."""
        known = self.read()
        if known is not None:
            return known
        try:
            self._make()
        except OSError as error:
            raise InvalidKey(name=self.path, text=f"it cannot be made: {error}") from None
        keys = self.read()
        if keys is None:
            raise InvalidKey(name=self.path, text="it was removed as soon as it was made")
        return keys

    def _make(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Private from its first byte on; linked when whole, and only if nobody else was first.
        handle, aside = tempfile.mkstemp(prefix=".secret.", dir=self.path.parent)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                self.path.hardlink_to(aside)
            except FileExistsError:
                return
        finally:
            Path(aside).unlink()


@cache
def _derived(text: str, purpose: str) -> bytes:
    return _hkdf(text, purpose, b"")


def _hkdf(text: str, purpose: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose.encode()).derive(
        text.encode()
    )
