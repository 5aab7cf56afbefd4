"""DICOM's data dictionary and registry of UIDs (PS3.6), as pydicom has them, without pydicom.

Loading that package takes longer than reading a planning CT, and the element stream needs of it two tables of
facts only. They are loaded by themselves.
"""

from __future__ import annotations

import functools
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Row = tuple[str, str, str, str, str]


@functools.cache
def entries() -> Mapping[int, Row]:
    """Return tag → VR (or several: ``US or SS``), VM, name, retired, keyword; repeating groups aside."""
    table: Mapping[int, Row] = _facts("_dicom_dict").DicomDictionary
    return table


@functools.cache
def tags() -> Mapping[str, int]:
    """Return keyword → tag."""
    return {row[4]: tag for tag, row in entries().items()}


@functools.lru_cache(1 << 14)  # a hostile file may hold any tag
def keyword(tag: int) -> str:
    """Return the keyword of a tag, also of a repeating group; private and unknown ones have none."""
    row = entries().get(tag)
    if row is None and not tag >> 16 & 1:
        row = next((row for mask, row in _repeaters().items() if _fits(mask, f"{tag:08X}")), None)
    return row[4] if row else ""


def _fits(mask: str, tag: str) -> bool:
    """Return whether a tag is one of those that a mask such as ``60xx0010`` stands for."""
    return all(one in ("x", digit) for one, digit in zip(mask, tag, strict=True))


@functools.cache
def _repeaters() -> Mapping[str, Row]:
    table: Mapping[str, Row] = _facts("_dicom_dict").RepeatersDictionary
    return table


@functools.cache
def registered_uids() -> frozenset[bytes]:
    """Return the UIDs of PS3.6 Annex A."""
    return frozenset(uid.encode() for uid in _facts("_uid_dict").UID_dictionary)


@functools.cache
def _facts(name: str) -> Any:
    package = find_spec("pydicom")
    spec = PathFinder.find_spec(f"pydicom.{name}", package.submodule_search_locations) if package else None
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"pydicom.{name}")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
