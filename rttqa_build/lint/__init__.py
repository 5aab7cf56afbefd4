"""A library of trial definitions → findings about what its authors should mend: ``trials check``.

What makes a definition unusable is found whenever it is read (:mod:`rttqa_build.trial.definition`). Here are
the questions that only its author asks: do schema and definition agree, do templates render, do the examples
behave as they say. Findings name files as seen from the library's root.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rttqa_build import disk, source
from rttqa_build.diagnostic import Location, UsageError, finding, ordered
from rttqa_build.library import Library, shipped
from rttqa_build.lint.agreement import agreement
from rttqa_build.lint.examples import examples
from rttqa_build.lint.templates import templates
from rttqa_build.source import MAX_BYTES, Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.trial import Trial

# what tells the schema of a trial from those of the tool itself
_EXTENDS = b'"$ref": "manifest.schema.json"'


class Linted(NamedTuple):
    """The trials that were looked at, every finding, and the texts that findings speak of, by name."""

    trials: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    texts: Mapping[str, str]


def lint(folder: Path) -> Linted:
    """Return all findings in a library, or about one trial.

    ``folder`` holds ``trials/`` and ``schemas/``, or is one trial's folder in such a library. Raises
    UsageError when it is neither, RttqaError when a file cannot be read.
    """
    if not folder.exists() and Path("trials", folder).is_dir():
        folder = Path("trials", folder)  # the id alone, as `trials new` was given it
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "is not there"
        hint = "give the repository's folder, the folder of a trial below its trials/, or a trial's id"
        raise UsageError(f"{folder.name or folder} {what}", hint)
    folder = folder.resolve()
    single = (folder / "trial.yaml").is_file()
    root = folder.parent.parent if single else folder
    if not (root / "trials").is_dir():
        raise UsageError(
            "there is no library here: a folder that holds trials/ and schemas/",
            "give the repository's folder, or make a first definition with `rttqa-build trials new ID`",
        )
    folders = [folder] if single else sorted(path for path in (root / "trials").iterdir() if path.is_dir())
    library, found = Library(root), [] if single else list(_stray(root))
    for one in folders:
        found += _trial(library, root, one)
    told = ordered(found)
    return Linted(tuple(one.name for one in folders), told, _texts(root, told))


def _trial(library: Library, root: Path, folder: Path) -> Iterator[Diagnostic]:
    name, label = folder.name, f"trials/{folder.name}/trial.yaml"
    if not (folder / "trial.yaml").is_file() or name not in library.ids():
        fault = "is no id" if (folder / "trial.yaml").is_file() else "holds no trial.yaml"
        yield finding("M312", f"the folder trials/{name} {fault}", Location(label))
        return
    trial, said = library.trial(name)
    yield from said
    if trial is None:
        return
    document = _read(folder / "trial.yaml", label)
    yield from _status(trial, document, own=root / "trials" != shipped("trials"))
    schema_label = f"schemas/{name}.schema.json"
    compiled = library.schema(name)
    if fault := compiled.fault():
        yield finding("M315", fault, Location(schema_label))
        return
    yield from agreement(trial, _read(root / schema_label, schema_label), compiled.contents)
    yield from templates(trial)
    yield from examples(library, trial, folder)


def _read(path: Path, label: str) -> Document:
    """Return a file with the places of its values; JSON is YAML. Without them where it is written oddly."""
    document, _ = source.parse(disk.read(path, MAX_BYTES, label), label)
    return document or Document(label, {})


def _status(trial: Trial, document: Document, *, own: bool) -> Iterator[Diagnostic]:
    """Ask for the grounds of a status: sources; for a confirmation, that it comes with the tool."""
    written = document.data.get("status") if isinstance(document.data, dict) else trial.status
    if trial.status != "example" and not trial.sources:
        message = f"status {written} needs sources: where each statement comes from"
        yield finding("M335", message, document.at(("status",)))
    if own and written == "confirmed":
        message = "outside the tool a confirmed definition counts as unofficial"
        yield finding("M336", message, document.at(("status",)))


def _stray(root: Path) -> Iterator[Diagnostic]:
    """Yield a finding for each schema of no trial."""
    known = {f"{path.parent.name}.schema.json" for path in root.glob("trials/*/trial.yaml")}
    own = root / "schemas" != shipped("schemas")
    for path in sorted(path for path in root.glob("schemas/*") if path.is_file()):
        label = f"schemas/{path.name}"
        if path.name not in known and (own or _EXTENDS in disk.read(path, MAX_BYTES, label)):
            yield finding("M338", "no trial of this id is in trials/", Location(label))


def _texts(root: Path, found: tuple[Diagnostic, ...]) -> dict[str, str]:
    """Return the files that findings name, to show their lines."""
    names = dict.fromkeys(one.where.file for one in found if one.where.line)
    paths = {name: root / name for name in names if (root / name).is_file()}
    return {name: disk.head(path, MAX_BYTES, name).decode("utf-8", "replace") for name, path in paths.items()}
