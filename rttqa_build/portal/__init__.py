"""Portals: where packages are handed over. This version hands over to a folder or a mounted share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Diagnostic, finding
from rttqa_build.portal.contract import Portal, remote_name
from rttqa_build.portal.folder import FolderPortal

if TYPE_CHECKING:
    from pathlib import Path

    from rttqa_build.settings import PortalSettings

__all__ = ["FolderPortal", "Portal", "connect", "remote_name"]


def connect(
    settings: PortalSettings | None, folder: Path | None, root: Path
) -> tuple[Portal | None, tuple[Diagnostic, ...]]:
    """Return the portal that the settings name, or the finding that says why there is none.

    ``folder`` is the expanded, absolute path of a folder portal (None for other kinds). Below ``root``, the
    repository, it is made when it is missing; elsewhere a missing folder is a share that is not connected.
    """
    if settings is None:
        return None, (finding("U010", "the settings name no portal"),)
    if settings.kind != "folder" or folder is None:
        return None, (finding("U011", "this version hands packages over to a folder only"),)
    return FolderPortal(folder, make=folder.is_relative_to(root)), ()
