"""What a package holds beside DICOM objects: documents, scrubbed, and the clinical summary."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from rttqa_build import disk
from rttqa_build.deidentify.charset import decoded
from rttqa_build.deidentify.documents import scrub
from rttqa_build.deidentify.documents.scrubbed import LARGEST
from rttqa_build.deidentify.finds import Find, in_text
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, finding
from rttqa_build.package.archive import Writer, compress
from rttqa_build.package.layout import SUMMARY, document_path
from rttqa_build.stages.order import Paper
from rttqa_build.study import Instance, PlanFacts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from rttqa_build.deidentify.residue import Scanner
    from rttqa_build.manifest import DocumentEntry, Manifest
    from rttqa_build.summary import pdf
    from rttqa_build.summary.context import Summary
    from rttqa_build.trial import Trial


@dataclass(frozen=True, slots=True)
class Papers:
    """Documents ready for the package, and what was found in them, with the places."""

    papers: tuple[Paper, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    finds: tuple[Find, ...] = ()


class Rendered(NamedTuple):
    """The clinical summary as a PDF, and what was found in it, with the places."""

    data: bytes
    diagnostics: tuple[Diagnostic, ...] = ()
    finds: tuple[Find, ...] = ()


def documents(manifest: Manifest, trial: Trial, folder: Path, scanner: Scanner) -> Papers:
    """Return the manifest's documents as they may leave: scrubbed, and searched for identities."""
    papers: list[Paper] = []
    found: list[Diagnostic] = []
    finds: list[Find] = []
    for name, entry in sorted(manifest.documents.items()):
        where = manifest.document.at(("documents", name))
        if not (folder / entry.path).resolve().is_relative_to(folder.resolve()):
            message = f"the document {name} is a link to a file outside the source folder"
            found.append(finding("R005", message, where, hint="Put the file itself there.", subject=name))
            continue
        try:
            data = disk.head(folder / entry.path, LARGEST + 1, f"the document {name}")
        except RttqaError as error:
            found.append(finding("R005", error.message, where, hint=error.hint, subject=name))
            continue
        one = _document(name, entry, data, trial, scanner)
        papers.extend(one.papers)
        found.extend(replace(told, where=where, subject=name) for told in one.diagnostics)
        finds.extend(replace(f, told=replace(f.told, where=where, subject=name)) for f in one.finds)
    return Papers(tuple(papers), tuple(found), tuple(finds))


def _document(name: str, entry: DocumentEntry, data: bytes, trial: Trial, scanner: Scanner) -> Papers:
    extension = PurePosixPath(entry.path).suffix.lstrip(".").lower()
    scrubbed = scrub(
        data, extension, rezip=rezip, reviewed=entry.reviewed, allowed_macros=trial.allowed_macros
    )
    if scrubbed.diagnostics:
        return Papers(diagnostics=scrubbed.diagnostics)
    place, staff = Location(f"document:{name}"), not trial.staff_in_documents
    paper = Paper(name, document_path(name, extension), scrubbed.data, hashlib.sha256(data).hexdigest())

    def scan(text: str) -> tuple[Diagnostic, ...]:
        return scanner.scan_text(text, place, staff=staff)

    text = "\n".join(scrubbed.texts)
    hits = scan(text)
    opaque = (hit for part in scrubbed.opaque for hit in scanner.scan_opaque(part, place))
    return Papers((paper,), (*hits, *opaque), in_text(text, paper.path, hits, scan))


def rezip(members: list[tuple[str, bytes]]) -> bytes:
    """Return a deterministic zip of (name, content) pairs, in the order given."""
    sink = io.BytesIO()
    writer = Writer(sink)
    for name, content in members:
        writer.add(name, compress(content))
    writer.finish()
    return sink.getvalue()


def clinical_summary(
    summary: Summary, typeset: Future[pdf.Typeset | Diagnostic], scanner: Scanner
) -> Rendered:
    """Return the clinical summary as a PDF; its values and its extracted text are searched for identities."""
    where, made = Location("clinical_summary.pdf"), typeset.result()
    if isinstance(made, Diagnostic):
        return Rendered(b"", (made,))

    def scan(text: str) -> tuple[Diagnostic, ...]:
        return scanner.scan_text(text, where)

    text = "\n".join((*_texts(summary), *made.pages))
    hits = scan(text)
    return Rendered(made.data, hits, in_text(text, SUMMARY, hits, scan))


def cleaned(instance: Instance, scanner: Scanner) -> Instance:
    """Return an object whose texts, where they identify, are the engine's neutral ones."""

    def safe(text: str, neutral: str = "") -> str:
        # bytes in another character set than the object declares were read as Latin-1
        meant = decoded(text.encode("latin_1", "ignore"), scanner.charsets)
        return neutral if any(map(scanner.identifies, {text, *meant})) else text

    def named(label: str, neutral: str) -> str:
        return neutral if scanner.is_personal(label) else safe(label, neutral)

    maker, model, software = map(safe, (instance.manufacturer, instance.model, instance.software))
    instance = replace(instance, manufacturer=maker, model=model, software=software)
    facts = instance.facts
    if not isinstance(facts, PlanFacts):
        return instance
    beams = tuple(
        replace(
            beam,
            name=named(beam.name, f"Beam {beam.number}"),
            radiation=safe(beam.radiation),
            delivery=safe(beam.delivery),
        )
        for beam in facts.beams
    )
    label, intent, approval = named(facts.label, "PLAN"), safe(facts.intent), safe(facts.approval)
    said = replace(facts, label=label, intent=intent, approval=approval, beams=beams)
    return replace(instance, facts=said)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of a context, at any depth."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for one in fields(value):
            yield from _texts(getattr(value, one.name))
    elif isinstance(value, tuple):
        for one in value:
            yield from _texts(one)
