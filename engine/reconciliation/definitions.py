"""Definitions by name: one YAML file each in the folder `reconciliations`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.documents.closest import suggestion
from engine.documents.document import Document, read_document
from engine.documents.problem import InvalidDocument, Problem
from engine.documents.validation import validate
from engine.errors import Invalid
from engine.reconciliation.definition import Definition, QueryRows
from engine.reconciliation.definition_checks import lacking
from engine.reconciliation.definition_file import DefinitionModel
from engine.sources.catalog import Sources
from engine.sources.faults import UnknownSource
from engine.sources.folder import Folder


class UnknownReconciliation(Invalid):
    """A caller named a reconciliation that no file defines."""

    message = "no reconciliation is named {name!r}; {suggestion}"


class Definitions:
    """The definitions of one folder; each is read, and checked, when it is asked for."""

    def __init__(self, folder: Path, sources: Sources) -> None:
        self.folder = folder
        self.sources = sources

    def names(self) -> Sequence[str]:
        """Every name, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.yaml"))

    def load(self, name: str) -> Definition:
        """The definition named `name`; raises UnknownReconciliation, or InvalidDocument."""
        names = self.names()
        if name not in names:
            raise UnknownReconciliation(name=name, suggestion=suggestion(name, names))
        document = read_document(self.folder / f"{name}.yaml")
        definition = validate(document, DefinitionModel).parsed(name)
        if problems := list(self._problems(document, definition)):
            raise InvalidDocument(problems)
        return definition

    def _problems(self, document: Document, definition: Definition) -> Iterator[Problem]:
        """What checks lack; what only the sources can tell: names not set, kinds that differ."""
        for where, message in lacking(definition):
            yield document.problem(where, message)
        for side in definition.sides:
            own = document.data["sides"][side.name]
            path = ("sides", side.name, "source") if "source" in own else ("source",)
            try:
                source = self.sources.get(side.source)
            except UnknownSource as error:
                yield document.problem(path, str(error))
                continue
            asks = isinstance(side.rows, QueryRows)
            if asks == isinstance(source, Folder):
                kinds = ("a folder", "file") if asks else ("a database", "query")
                message = f"{source.name!r} is {kinds[0]}; say `{kinds[1]}`"
                yield document.problem(("sides", side.name, "query" if asks else "file"), message)
