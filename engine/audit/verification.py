"""Verifying the audit: its chain against its key, and against the heads that are outside."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from engine.audit.heads import HeadFiles, Line
from engine.store.audit_chain import AuditEntry, key_id_of

Kind = Literal[
    "edited", "removed", "rewritten", "cut", "heads_missing", "heads_edited", "key", "users"
]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that nobody who only used the engine could have done."""

    kind: Kind
    text: str
    entry: int | None = None


@dataclass(kw_only=True)
class Verified:
    """What was looked at, and what was found."""

    entries: int = 0
    heads: int = 0
    newest: AuditEntry | None = None
    findings: list[Finding] = field(default_factory=list)


def verify(
    entries: Iterable[AuditEntry],
    key: bytes | None,
    folders: Sequence[HeadFiles],
    known: Mapping[int, str] | None = None,
) -> Verified:
    """Compare the entries, in order, with their key and with heads.

    The heads are in `folders`, of which the first one is this machine's own, and in `known`: MACs
    by the ids of entries, as a log or a letter had them.
    """
    done = Verified()
    lines = [line for each in folders for line in each.lines(key)]
    wanted = _Heads(lines, known or {})
    done.heads = len(wanted.macs)
    unvouched: dict[str, AuditEntry] = {}
    before = ""
    expected = 1
    for entry in entries:
        done.entries += 1
        done.findings += _in_chain(entry, key, before, expected)
        done.findings += wanted.against(entry)
        _vouch(entry, wanted, folders[0] if folders else None, unvouched)
        before, expected = entry.mac, entry.id + 1
        done.newest = entry
    done.findings += wanted.beyond(expected - 1)
    if key is not None and not done.entries:
        text = "the audit has a key and no entries: all of them were removed"
        done.findings.append(Finding(kind="cut", text=text))
    done.findings += [
        Finding(
            kind="heads_missing",
            entry=entry.id,
            text=f"no head in {file} vouches for entry {entry.id}: the file was removed or cut "
            "off, or the process was killed as it had committed that entry",
        )
        for file, entry in unvouched.items()
    ]
    done.findings += [
        Finding(
            kind="heads_edited",
            text=f"{line.file}, line {line.number}: it was not written by the engine, or was "
            "changed since",
        )
        for line in lines
        if line.head is None
    ]
    return done


class _Heads:
    """What the entries must be, by what was written outside."""

    def __init__(self, lines: Iterable[Line], known: Mapping[int, str]) -> None:
        self.macs: dict[int, set[str]] = {}
        self.in_file: dict[str, set[int]] = {}
        for line in lines:
            if line.head is not None:
                self.macs.setdefault(line.head.id, set()).add(line.head.mac)
                self.in_file.setdefault(str(line.file), set()).add(line.head.id)
        for id_, mac in known.items():
            self.macs.setdefault(id_, set()).add(mac)

    def against(self, entry: AuditEntry) -> Iterator[Finding]:
        """The ledger's entry is another one than it was when its head was written."""
        if not self.macs.get(entry.id, {entry.mac}) <= {entry.mac}:
            text = f"entry {entry.id} is another one than its head outside: the chain was made anew"
            yield Finding(kind="rewritten", entry=entry.id, text=text)

    def beyond(self, last: int) -> Iterator[Finding]:
        """The heads know of entries that the ledger has no more."""
        newest = max(self.macs, default=0)
        if newest > last:
            lost = str(newest) if newest == last + 1 else f"{last + 1} to {newest}"
            text = f"the audit ends with entry {last}, and its heads know of {lost}: it was cut off"
            yield Finding(kind="cut", entry=last + 1, text=text)


def _in_chain(
    entry: AuditEntry, key: bytes | None, before: str, expected: int
) -> Iterator[Finding]:
    if key is None:
        if expected == 1:
            text = "the audit has entries and no key: nothing can be said of them"
            yield Finding(kind="key", text=text)
        return
    if entry.id != expected:
        gone = str(expected) if entry.id == expected + 1 else f"{expected} to {entry.id - 1}"
        text = f"{gone} is not there: removed, or given another number"
        yield Finding(kind="removed", entry=expected, text=f"entry {text}")
        # What it was chained to is gone, so nothing can be said of this one.
        return
    if entry.key_id != key_id_of(key):
        text = f"entry {entry.id} was made with another key than that of this ledger"
        yield Finding(kind="key", entry=entry.id, text=text)
    elif entry.mac != entry.mac_after(before, key):
        text = f"entry {entry.id} does not fit its MAC: it, or the MAC before it, was edited"
        yield Finding(kind="edited", entry=entry.id, text=text)


def _vouch(
    entry: AuditEntry, heads: _Heads, own: HeadFiles | None, unvouched: dict[str, AuditEntry]
) -> None:
    """Keep the newest entry of each day that no head of its own machine's file vouches for.

    A head vouches for its entry and all before it; so one that a kill kept from being written is
    made up for by the next one of that day.
    """
    if own is None or entry.facts.get("from") != own.name:
        return
    file = str(own.file_of(entry.at.date()))
    unvouched[file] = entry
    if entry.id in heads.in_file.get(file, ()):
        del unvouched[file]
