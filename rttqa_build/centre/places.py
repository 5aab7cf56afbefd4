"""Where the settings say that things lie: key, exports, build folder, portal; and who may work there."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rttqa_build import disk
from rttqa_build.centre import keyfile
from rttqa_build.centre.repository import inside_work_tree
from rttqa_build.diagnostic import UsageError
from rttqa_build.settings import expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import PurePath

    from rttqa_build.manifest import Manifest
    from rttqa_build.pseudonym import CentreKey
    from rttqa_build.settings import Settings

# folders that a cloud client copies to computers which the trust does not know
_SYNCED = ("onedrive", "dropbox", "google drive", "googledrive", "icloud", "box sync", "nextcloud")


@dataclass(frozen=True, slots=True)
class Places:
    """The places of one submissions repository. All but ``root`` lie outside it, and outside Git."""

    root: Path
    settings: Settings
    environ: Mapping[str, str]

    def key(self) -> CentreKey:
        """Return the centre's key; raise UsageError when it cannot be used."""
        path = self.key_path()
        chosen = self.settings
        return keyfile.read(path, access=chosen.key_access, fingerprint=chosen.key_fingerprint)

    def key_path(self) -> Path:
        """Return where the settings say that the key lies."""
        return self._local(self.settings.key_file, "key_file")

    def data_root(self) -> Path:
        """Return the folder that the exports lie below; raise UsageError where it may not lie."""
        return self._local(self.settings.data_root, "data_root")

    def source(self, manifest: Manifest) -> Path:
        """Return the export folder of a manifest; raise UsageError where it may not lie."""
        folder = self.data_root() / manifest.source
        if inside_work_tree(folder):
            raise UsageError(
                "the source folder lies inside a Git repository",
                "keep patient data outside: correct `data_root` in rttqa.yaml",
            )
        return folder

    def output(self, name: str) -> Path:
        """Return the folder for package and report of a submission."""
        return self._local(self.settings.build_dir, "build_dir") / name

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Keep every other run away from a submission while the block runs.

        Raises UsageError when another run is at it, in this clone or in one that shares the build folder.
        """
        place = self._local(self.settings.build_dir, "build_dir") / ".running" / name
        with disk.exclusive(place, "the build folder") as free:
            if not free:
                raise UsageError(
                    f"another run is building or submitting {name} at this moment",
                    "wait until it has ended, then look at `rttqa-build status`",
                )
            yield

    @contextlib.contextmanager
    def alone_among_clones(self, name: str, ledger: Path) -> Iterator[None]:
        """Keep other clones that use the same key file from handing a submission over meanwhile.

        Raises UsageError when another clone is at it.
        """
        with disk.exclusive(ledger.with_suffix(".lock"), "the folder of the key") as free:
            if not free:
                raise UsageError(
                    f"another clone is handing {name} over at this moment",
                    "wait until it has ended, bring its receipt.yaml here through Git, then look at "
                    "`rttqa-build status`",
                )
            yield

    def portal_folder(self) -> Path | None:
        """Return the folder of a folder portal, or None."""
        portal = self.settings.portal
        if portal is None or portal.kind != "folder":
            return None
        return self._placed(portal.path)

    def _placed(self, value: str) -> Path:
        """Return a path of the settings, relative to the repository, without ``..``."""
        return Path(os.path.normpath(self.root / Path(expand(value, self.environ)).expanduser()))

    def _local(self, value: str, name: str) -> Path:
        path = self._placed(value)
        self.demand_unsynced(path, f"`{name}`")
        return path

    def demand_unsynced(self, path: Path, what: str) -> None:
        """Raise UsageError when a cloud client would copy what lies there, unless the settings allow it."""
        if is_synced(path) and not self.settings.allow_synced_folders:
            raise UsageError(
                f"{what} lies in a folder that a cloud client copies elsewhere",
                "choose a folder of the trust, or set `allow_synced_folders: true` where the trust agreed",
            )


def is_synced(path: PurePath) -> bool:
    """Return whether a path leads through a folder that looks like a cloud client's."""
    return any(part.casefold().startswith(client) for part in path.parts for client in _SYNCED)
