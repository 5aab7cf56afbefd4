"""A submissions repository on disk → what the verbs work on: settings, trials, submissions, records.

Reads files when asked, and only those; holds no patient data. All that ``check`` finds comes from here.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build import __version__, disk, records, settings
from rttqa_build.centre.beside import files, searched
from rttqa_build.centre.identifiers import identifiers, kinds, of_another_centre
from rttqa_build.centre.places import Places
from rttqa_build.centre.repository import find as find_repository
from rttqa_build.deidentify.marks import PROFILE
from rttqa_build.diagnostic import Diagnostic, Location, RttqaError, UsageError, bounded, finding, ordered
from rttqa_build.library import Library, Reading
from rttqa_build.lock import Basis, Lock, Versions, freshness
from rttqa_build.naming import mappings
from rttqa_build.records import approval, history
from rttqa_build.records.ledger import FOLDER as RECEIPTS
from rttqa_build.records.tokens import Tokened, wrong_patient
from rttqa_build.schema import did_you_mean
from rttqa_build.settings import FILE, find_root
from rttqa_build.source import MAX_BYTES, canonical
from rttqa_build.stages import supplement
from rttqa_build.stages.order import Clinical
from rttqa_build.trial.definition import acceptance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rttqa_build.manifest import Manifest
    from rttqa_build.naming.mappings import Mappings
    from rttqa_build.pseudonym import CentreKey
    from rttqa_build.records import Records
    from rttqa_build.trial import Trial

MANIFEST, SUBMISSIONS = "manifest.yaml", "submissions"
_DEFINITIONS = ("trials", "schemas")


@dataclass(frozen=True, slots=True)
class Submission:
    """One submission on disk: its folder, what its manifest says, what the tool wrote beside it."""

    folder: Path
    shown: str
    data: bytes
    reading: Reading
    records: Records
    basis: Basis
    diagnostics: tuple[Diagnostic, ...]

    @property
    def name(self) -> str:
        """Return the name of its folder."""
        return self.folder.name

    @property
    def manifest(self) -> Manifest | None:
        """Return the manifest, where it could be read."""
        return self.reading.manifest

    @property
    def trial(self) -> Trial | None:
        """Return the trial, where there is such a one."""
        return self.reading.trial


@dataclass(frozen=True, slots=True)
class Workspace(Places):
    """A submissions repository with valid settings."""

    library: Library
    diagnostics: tuple[Diagnostic, ...] = ()

    @classmethod
    def find(cls, start: Path, environ: Mapping[str, str]) -> Workspace:
        """Return the repository around ``start``.

        Raises UsageError when there is none, SettingsError with the findings when its settings are at fault.
        """
        root = find_root(start)
        if root is None:
            raise UsageError(
                f"there is no {FILE} here, nor in any folder above",
                "change into a submissions repository, or make one with `rttqa-build init FOLDER`",
            )
        library = Library(root)
        loaded, found = settings.load(root)
        if loaded is None:
            raise SettingsError(found, root)
        return cls(root, loaded, environ, library, found)

    def manifests(self, named: Iterable[str]) -> tuple[Path, ...]:
        """Return the manifests that are named, by path or by the submission's name; all of them for none."""
        names = tuple(named)
        if not names:
            folders = (self.root / SUBMISSIONS).glob("*")
            return tuple(sorted(folder / MANIFEST for folder in folders if _is_submission(folder)))
        return tuple(dict.fromkeys(self._manifest(name) for name in names))

    def _manifest(self, name: str) -> Path:
        path = Path(name)
        candidates = (path, path / MANIFEST, self.root / SUBMISSIONS / name / MANIFEST)
        found = next((one for one in candidates if os.path.lexists(one) and not one.is_dir()), None)
        if found is None:
            known = {path.parent.name: path for path in self.manifests(())}
            if name in known:  # a folder whose manifest has another name, or is none: a finding says so
                return known[name]
            hint = "give the path of a manifest.yaml, or the name of a folder below submissions/"
            hint = did_you_mean(name, known) or hint
            raise UsageError(f"there is no submission {path.name or name}", hint)
        self._demand_manifest(found.absolute())
        return found.absolute()

    def _demand_manifest(self, path: Path) -> None:
        """Raise UsageError for a file of which nobody says that it may be searched and written beside."""
        where = Path(os.path.normpath(path))
        if not where.is_relative_to(self.root) and not path.resolve().is_relative_to(self.root.resolve()):
            hint = f"change into its repository, or move it here: {SUBMISSIONS}/NAME/{MANIFEST}"
            raise UsageError(f"{path.name} lies outside this repository", hint)
        if path.name in {FILE, mappings.FILE, *records.SCHEMAS}:
            raise UsageError(f"{path.name} is no manifest", f"give the path of a {MANIFEST}")

    def load(self, manifest: Path) -> Submission:
        """Return a submission with everything that ``check`` finds in it alone."""
        shown = self.shown(manifest)
        data, reading = self.read(manifest)
        folder = manifest.parent
        schemas = {
            name: self.library.schema(file.removesuffix(".schema.json"))
            for name, file in records.SCHEMAS.items()
        }
        kept = records.read(folder, Path(shown).parent.as_posix(), schemas)
        reading = self._supplementing(folder, reading, kept)
        basis = self.basis(reading)
        found = (
            *reading.diagnostics,
            *kept.diagnostics,
            *self._standing(reading, kept, basis, shown),
            *self._beside(manifest, reading),
        )
        return Submission(folder, shown, data, reading, kept, basis, ordered(found))

    def read(self, manifest: Path) -> tuple[bytes, Reading]:
        """Return a manifest's bytes and what they say; one that cannot be read does not stop the others."""
        shown = self.shown(manifest)
        try:
            data = disk.head(manifest, MAX_BYTES + 1, shown)
        except RttqaError as error:
            message, hint = error.message, error.hint
            if not os.path.lexists(manifest):
                message, hint = f"this folder has no {MANIFEST}", f"call the submission's manifest {MANIFEST}"
            found = finding("M014", message, Location(shown), hint=hint)
            return b"", Reading(None, None, None, (found,))
        return data, self.library.read_manifest(data, shown)

    def shown(self, path: Path) -> str:
        """Return a path as findings show it: relative to the repository, with ``/``."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.name

    def basis(self, reading: Reading, key: CentreKey | None = None) -> Basis:
        """Return what a build of today would be made from; without a key, under the pinned one."""
        document, trial = reading.document, reading.trial
        manifest = hashlib.sha256(canonical(document.data)).hexdigest() if document else ""
        fingerprint = key.fingerprint if key else self.settings.key_fingerprint
        return Basis(
            manifest, trial.digest if trial else "", self.settings.subset_digest, fingerprint, versions()
        )

    def _standing(self, reading: Reading, kept: Records, basis: Basis, shown: str) -> Iterable[Diagnostic]:
        """Yield what lock, approvals, receipt and acceptance of the trial say against the manifest."""
        if reading.document is not None:
            found = identifiers(reading.document, self.settings.identifiers, self._contacts(reading.trial))
            yield from _few_of_each(found)
        if reading.trial is not None and reading.document is not None:
            where = reading.document.at(("trial",))
            yield from acceptance(reading.trial, self.settings.accept_unofficial, where)
        if reading.manifest is not None:
            yield from of_another_centre(reading.manifest, self.settings.id_prefixes)
        if kept.lock is None or reading.manifest is None:
            return
        folder = Path(shown).parent.as_posix()
        received = kept.receipt.received >= reading.manifest.submission.revision
        yield from freshness(kept.lock, basis, received=received, where=Location(f"{folder}/{records.LOCK}"))
        where = Location(f"{folder}/{records.APPROVAL}")
        yield from approval.voided(kept.approvals, kept.lock.content, where)
        yield from approval.voided(kept.released, kept.lock.content, where, "release")

    def _contacts(self, *trials: Trial | None) -> tuple[str, ...]:
        contacts = [self.settings.centre.contact, *(trial.contact for trial in trials if trial)]
        return tuple(text for contact in contacts for text in (contact.email, contact.name))

    def _beside(self, manifest: Path, reading: Reading) -> Iterator[Diagnostic]:
        """Yield what identifies in the files that a commit would take along with a manifest.

        The manifest itself is searched by its fields, or here where it is no YAML.
        """
        past, contacts = manifest.parent / history.HISTORY, self._contacts(reading.trial)
        own = manifest.parent.is_relative_to(self.root / SUBMISSIONS) and manifest.parent.name != SUBMISSIONS
        for path in files(manifest.parent, deep=own):
            # what was frozen was searched before it was received
            frozen = path.is_relative_to(past) and path.name in history.FROZEN
            if not frozen and (path != manifest or reading.document is None):
                yield from self._searched(path, contacts)

    def shared(self) -> dict[str, tuple[Diagnostic, ...]]:
        """Return what identifies in the files that no submission has for itself, by the file's name.

        Settings, trial definitions with their schemas, and whatever else lies at the root, as a README.
        """
        own = (self.library.trial(name).trial for name in self._own_trials())
        allowed = (*self._contacts(*own), *self.settings.own_words)
        loose = (*files(self.root, deep=False), *files(self.root / SUBMISSIONS, deep=False))
        found = {path: self._searched(path, allowed) for path in loose}
        # a logo or the like may lie at the root
        found = {path: tuple(one for one in told if one.code != "M264") for path, told in found.items()}
        for path in (path for part in _DEFINITIONS for path in files(self.root / part)):
            found[path] = self._searched(path, allowed)
        return {self.shown(path): told for path, told in found.items() if told}

    def _own_trials(self) -> tuple[str, ...]:
        folder = self.root / _DEFINITIONS[0]
        return tuple(name for name in self.library.ids() if (folder / name).is_dir())

    def _searched(self, path: Path, allowed: tuple[str, ...]) -> tuple[Diagnostic, ...]:
        """Return what identifies in a file, unless Git ignores it."""
        found = tuple(_few_of_each(searched(path, self.shown(path), self.settings.identifiers, allowed)))
        return () if found and self._ignored(path) else found

    def _ignored(self, path: Path) -> bool:
        try:
            return find_repository(self.root, self.environ).ignored(path)
        except RttqaError:
            return False

    def contradictions(self, submissions: Iterable[Submission]) -> tuple[Diagnostic, ...]:
        """Return where patient tokens contradict each other: over the whole repository."""
        loaded = list(submissions)
        known = {one.folder for one in loaded}
        others = [path for path in self.manifests(()) if path.parent not in known]
        sought = _sought(loaded) if others else None
        built = (self.load(path) for path in others if sought and _may_hold(path, sought))
        return tuple(
            wrong_patient(
                Tokened(
                    one.name,
                    one.manifest.trial,
                    one.manifest.submission.patient,
                    one.manifest.submission.purpose,
                    one.records.lock.patient_tokens,
                    any(s.same_patient for chosen in one.manifest.data.values() for s in chosen),
                )
                for one in (*loaded, *built)
                if one.manifest is not None and one.records.lock is not None
            )
        )

    def mappings(self) -> tuple[Mappings, tuple[Diagnostic, ...]]:
        """Return the structure names that were accepted before, and what is wrong with the file of them."""
        document, told = mappings.read(self.root / mappings.FILE, self.library.schema("mappings"))
        if document is None:
            return {}, told
        return mappings.from_document(document), told

    def remember(self, received: Iterable[Manifest]) -> bool:
        """Note the structure names of received packages as accepted; return whether any is new.

        A file that cannot be read is left as it is. Raises RttqaError when the disk does not allow it.
        """
        known, told = self.mappings()
        if any(one.code == mappings.DAMAGED for one in told):
            return False
        patterns = self.settings.identifiers
        new = mappings.remember(known, received, lambda text: bool(kinds(text, patterns)))
        if new == known:
            return False
        disk.write(self.root / mappings.FILE, mappings.dump(new).encode())
        return True

    def ledger(self, one: Submission) -> Path | None:
        """Return the copy of the receipt that clones with the same key file share.

        It is named by what is sent, as folders may have other names. None without a valid manifest, and where
        the key's folder cannot be written to.
        """
        if one.manifest is None or one.trial is None:
            return None
        folder, submission = self.key_path().parent, one.manifest.submission
        name = f"{one.trial.id}_{self.settings.centre.code}_{submission.subject}_{submission.purpose}.yaml"
        return folder / RECEIPTS / name if os.access(folder, os.W_OK) else None

    def clinical(self, manifest: Manifest, source: Path) -> Clinical:
        """Return the clinical fields: the manifest's, or those of a file beside the source, outside Git."""
        if not manifest.clinical_file:
            return Clinical(manifest.clinical)
        where = manifest.document.at(("clinical", "file"))
        path = source.parent / manifest.clinical_file
        if not path.resolve().is_relative_to(source.parent.resolve()):
            message = "the clinical file is a link to a file elsewhere"
            return Clinical(diagnostics=(finding("R006", message, where, hint="Put the file itself there."),))
        try:
            data = disk.read(path, MAX_BYTES + 1, "the clinical file")
        except RttqaError as error:
            return Clinical(diagnostics=(finding("R006", error.message, where, hint=error.hint),))
        content, found = self.library.read_clinical(data, "clinical file", manifest)
        return Clinical(content, hashlib.sha256(data).hexdigest(), found)

    def previous(self, submission: Submission) -> Lock | None:
        """Return what stands of all revisions that were received before this one, as one lock."""
        return self._before(submission.folder, submission.manifest, submission.records)

    def _before(self, folder: Path, manifest: Manifest | None, kept: Records) -> Lock | None:
        """Return what a manifest's revision comes after: a supplement, only what was not withdrawn."""
        revision = manifest.submission.revision - 1 if manifest else 0
        gone = kept.receipt.recalled if manifest and manifest.submission.supplement else 0
        return history.standing(folder, revision, self.library.schema("lock"), after=gone)

    def _supplementing(self, folder: Path, reading: Reading, kept: Records) -> Reading:
        """Return a reading without demands for what was received before, where it is a supplement to that."""
        manifest, trial = reading.manifest, reading.trial
        if manifest is None or trial is None or not manifest.submission.supplement:
            return reading
        try:
            before = self._before(folder, manifest, kept)
        except RttqaError as error:
            found = finding("M410", error.message, manifest.document.at(("submission",)), hint=error.hint)
            return reading._replace(diagnostics=(*reading.diagnostics, found))
        withdrawn = kept.receipt.recalled > 0
        told = supplement.still_asked(reading.diagnostics, manifest, trial, before, withdrawn=withdrawn)
        return reading._replace(diagnostics=told)


def _few_of_each(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield as many findings of each code as somebody reads."""
    by_code: dict[str, list[Diagnostic]] = defaultdict(list)
    for one in found:
        by_code[one.code].append(one)
    for of_one_code in by_code.values():
        yield from bounded(of_one_code)


def _sought(submissions: Iterable[Submission]) -> re.Pattern[bytes] | None:
    """Return what to look for in the files of other submissions: trial IDs and patient tokens."""
    built = [(s.manifest.submission, s.records.lock) for s in submissions if s.manifest and s.records.lock]
    words = {word for one, lock in built for word in (one.patient, *lock.patient_tokens.values()) if word}
    either = "|".join(re.escape(word) for word in sorted(words))
    return re.compile(rf"(?<![A-Za-z0-9-])(?:{either})(?![A-Za-z0-9-])".encode()) if words else None


def _may_hold(manifest: Path, sought: re.Pattern[bytes]) -> bool:
    """Return whether a submission was built and may hold what is sought: to read them all takes seconds."""
    lock = manifest.parent / records.LOCK
    if not lock.is_file():
        return False
    try:
        texts = [disk.head(path, MAX_BYTES, path.name) for path in (manifest, lock)]
    except RttqaError:
        return True
    # behind a backslash, any word may be spelt in another way
    return any(b"\\" in text or sought.search(text) for text in texts)


class SettingsError(UsageError):
    """The settings of the repository at ``root`` cannot be used; ``diagnostics`` say why."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...], root: Path) -> None:
        super().__init__(f"{FILE} cannot be used", "mend the findings above")
        self.diagnostics = diagnostics
        self.root = root


def _is_submission(folder: Path) -> bool:
    """Return whether a folder holds a manifest, or what was meant for one: ``manifest.yml``, a dead link."""
    if (folder / MANIFEST).exists():
        return True
    if folder.name.startswith("."):
        return False
    try:
        return any(path.name.casefold().startswith("manifest.") for path in folder.iterdir())
    except OSError:
        return False


@functools.cache
def versions() -> Versions:
    """Return the versions of the programs that decide the bytes of a package."""
    return Versions(__version__, PROFILE, version("deflate"), version("typst"))


def with_key(workspace: Workspace, submission: Submission, key: CentreKey) -> Submission:
    """Return the submission with the basis of a build under this key."""
    return replace(submission, basis=workspace.basis(submission.reading, key))
