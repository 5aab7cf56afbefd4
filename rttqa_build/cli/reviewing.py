"""``review``: what a merge request changes, as Markdown; manifests, locks and definitions only."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from rttqa_build.centre import repository
from rttqa_build.centre.identifiers import kinds
from rttqa_build.cli import session
from rttqa_build.cli.checking import about
from rttqa_build.cli.standing import standing_of
from rttqa_build.diagnostic import UsageError, ordered
from rttqa_build.library import Library
from rttqa_build.review import Reviewed, Side, loosening, markdown
from rttqa_build.settings import FILE
from rttqa_build.workspace import SUBMISSIONS, SettingsError, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rttqa_build.centre.repository import Repository
    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.workspace import Submission

_PARTS = (SUBMISSIONS, "trials", "schemas", FILE)


def review(base: str | None) -> int:
    """Write the review of the work tree against the commit from which it parted from ``base``."""
    here, out = session.workspace(), session.term()
    git = repository.find(here.root, session.environ())
    name = base or git.default_branch()
    commit = git.parting(name)
    if not commit:
        what = f"there is no branch or commit {base}" if base else "it is not known what to compare with"
        raise UsageError(what, "commit first, and give a branch or a commit: `rttqa-build review BASE`")
    with _at(git, commit, here) as before:
        reviewed = tuple(_reviewed(before, here))
        loosened = _loosened(before, here)
    patterns = here.settings.identifiers
    out.out.write(markdown(name, reviewed, loosened, lambda text: bool(kinds(text, patterns))))
    return 0


@contextlib.contextmanager
def _at(git: Repository, commit: str, here: Workspace) -> Iterator[Workspace | None]:
    """Yield the repository as it was in a commit, in a folder that is gone afterwards."""
    archive = git.archive(commit, [git.relative(here.root / part) for part in _PARTS])
    with session.unpacked(archive) as folder:
        root = folder / git.relative(here.root)
        yield _before(root, here) if (root / FILE).is_file() else None


def _before(root: Path, here: Workspace) -> Workspace:
    """Return the repository as it was; with the settings of today where those of then cannot be used."""
    try:
        return Workspace.find(root, here.environ)
    except SettingsError:
        return Workspace(root, here.settings, here.environ, Library(root))


def _reviewed(before: Workspace | None, here: Workspace) -> Iterator[Reviewed]:
    now = {path.parent.name: path for path in here.manifests(())}
    then = {path.parent.name: path for path in before.manifests(())} if before else {}
    across = here.contradictions([here.load(path) for path in now.values()])
    for name in sorted(now.keys() | then.keys()):
        if name in now and name in then and _same(then[name].parent, now[name].parent):
            continue
        old = _side(before.load(then[name])) if before and name in then else None
        if name not in now:
            yield Reviewed(name, old, None)
            continue
        loaded = here.load(now[name])
        yield _present(name, old, loaded, here, across)


def _present(
    name: str, old: Side | None, loaded: Submission, here: Workspace, across: tuple[Diagnostic, ...]
) -> Reviewed:
    findings = ordered([*loaded.diagnostics, *about(loaded, across)])
    status = standing_of(here, replace(loaded, diagnostics=findings))
    return Reviewed(name, old, _side(loaded), status.state.value, status.next_step, findings)


def _same(then: Path, now: Path) -> bool:
    """Return whether two folders of a submission hold the same; line endings don't count."""
    before, after = (
        {
            path.relative_to(folder).as_posix(): path.read_bytes().replace(b"\r\n", b"\n")
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (then, now)
    )
    return before == after


def _side(one: Submission) -> Side:
    document, manifest, kept = one.reading.document, one.manifest, one.records
    waivers = manifest.waivers if manifest else ()
    return Side(document.data if document else None, waivers, kept.lock, kept.released, kept.receipt.received)


def _loosened(before: Workspace | None, here: Workspace) -> dict[str, tuple[str, ...]]:
    """Return what retains more or checks less: trial definitions of this repository, and its settings."""
    found = {FILE: loosening.of_settings(before.settings if before else None, here.settings)}
    if before and before.settings is here.settings:
        found[FILE] = ("it could not be used before: read all of it",)
    own = sorted(path.name for path in (here.root / "trials").glob("*") if path.is_dir())
    for name in own:
        now = here.library.trial(name).trial
        then = before.library.trial(name).trial if before and name in before.library.ids() else None
        if now is not None and (then is None or then.digest != now.digest):
            found[f"trial {name}"] = loosening.of_trial(then, now)
    return {about: whats for about, whats in found.items() if whats}
