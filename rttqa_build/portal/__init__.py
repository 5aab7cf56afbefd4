"""Portals: where packages are handed over. A folder or a mounted share, or a Nextcloud file drop.

``link``, ``answers``, ``proxy`` and the words of ``contract`` are pure; ``wire`` is the one module that opens
a connection, ``known`` the file of trusted hosts. ``nextcloud`` is imported by whoever needs it.
"""

from __future__ import annotations

from rttqa_build.portal.contract import Portal, PortalError, again, halt, interrupted, remote_name
from rttqa_build.portal.folder import FOLDER, FolderPortal

__all__ = ["FOLDER", "FolderPortal", "Portal", "PortalError", "again", "halt", "interrupted", "remote_name"]
