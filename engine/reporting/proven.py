"""Proven files: what was written of a report, with its manifest, before it has a version."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from engine.artifact_files.spool import AttemptSpool, Sealed, SpooledFile, hash_of
from engine.reporting.manifest import ReportFacts, manifest_of
from engine.reporting.proof import Dataset, prove, said_of
from engine.store.artifacts import MANIFEST_SUFFIX

_SERIES_LETTERS = 16  # of a hash
# What of a run's parameters the file's name, period and language say already.
_OF_THE_RUN = frozenset({"name", "dataset", "period", "formats", "locales"})


@dataclass(frozen=True, kw_only=True)
class ProvenFile:
    """A whole file on this machine's disk, what was found in it, and the series that it is of.

    `name` is the first version's. `problems` say why it is not what it should be.
    """

    file: SpooledFile
    series: str
    manifest: Mapping[str, Any]
    problems: str | None

    @property
    def name(self) -> str:
        """The file's name as a first version."""
        return self.file.name

    def named(self, version: int) -> str:
        """The file's name as that version."""
        stem, _, suffix = self.name.rpartition(".")
        return self.name if version == 1 else f"{stem}.v{version}.{suffix}"

    def quarantined_name(self, attempt: int) -> str:
        """A name that nobody takes for a report's; an attempt's own, so that each can be seen."""
        stem, _, suffix = self.name.rpartition(".")
        return f"{stem}.quarantined-{attempt}.{suffix}"


@dataclass(frozen=True, kw_only=True)
class SealedReport:
    """All files of a report as an attempt wrote them, and the facts it left beside."""

    files: Sequence[ProvenFile]
    facts: Mapping[str, Any]


def proven(
    file: SpooledFile, format_name: str, facts: ReportFacts, datasets: Sequence[Dataset]
) -> ProvenFile:
    """Read a file again, and say in its manifest what was found."""
    proof = prove(file, format_name, datasets)
    return ProvenFile(
        file=file,
        series=series_of(facts, file.name),
        manifest=manifest_of(facts, datasets, file, format_name, proof),
        problems=f"{file.name}: {said_of(proof.problems)}" if proof.problems else None,
    )


def series_of(facts: ReportFacts, name: str) -> str:
    """What files of one report, file name, period, language and parameters have in common.

    Values that are masked are not told apart: their files are versions of each other.
    """
    told = facts.as_json()
    apart = {key: told[key] for key in ("report", "period", "locale")}
    apart["params"] = {
        name: value for name, value in facts.params.items() if name not in _OF_THE_RUN
    }
    text = json.dumps([name, apart], sort_keys=True, ensure_ascii=False)
    return f"{facts.report} {name} {hashlib.sha256(text.encode()).hexdigest()[:_SERIES_LETTERS]}"


def seal(
    spool: AttemptSpool, files: Sequence[ProvenFile], facts: Mapping[str, Any]
) -> SealedReport:
    """Say that these are all; they survive a power cut from here on."""
    told = [{**asdict(each), "file": each.file.name} for each in files]
    spool.seal([each.file for each in files], {**facts, "proven": told})
    return SealedReport(files=tuple(files), facts=facts)


def unsealed(sealed: Sealed | None) -> SealedReport | None:
    """What was sealed; None if nothing was, or no report."""
    if sealed is None or "proven" not in sealed.facts:
        return None
    files = {file.name: file for file in sealed.files}
    return SealedReport(
        files=[
            ProvenFile(**{**each, "file": files[each["file"]]}) for each in sealed.facts["proven"]
        ],
        facts={name: value for name, value in sealed.facts.items() if name != "proven"},
    )


def manifest_file(file: SpooledFile, manifest: Mapping[str, Any]) -> SpooledFile:
    """The manifest as a file beside its own."""
    location = file.location.with_name(f"{file.name}{MANIFEST_SUFFIX}")
    with location.open("w", encoding="utf-8") as target:
        target.write(manifest_text(manifest))
        target.flush()
        os.fsync(target.fileno())
    return replace(
        file,
        name=location.name,
        media_type="application/json",
        rows=0,
        size=location.stat().st_size,
        sha256=hash_of(location),
        location=location,
    )


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """The manifest as it stands in its file."""
    return f"{json.dumps(manifest, indent=2, ensure_ascii=False)}\n"
