"""What this program itself writes, whoever the patient is: no residue, though a patient may be called that.

Looked at only where something was found: what stands in every package tells nothing of one.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any

from rttqa_build.deidentify.marks import PROFILE
from rttqa_build.deidentify.table import read_keep_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rttqa_build.deidentify.elements import Leaf

# whatever the element: where the standard asks for a value, or for the mark of what was done
_ANYWHERE = frozenset({b"REMOVED", b"PSEUDONYMISED", b"MODIFIED", b"UNMODIFIED", b"YES", PROFILE.encode()})
# keys of lock.yaml that no schema lists: the kinds of objects by which it lists inputs and UIDs
_ROLES = frozenset({"dose", "plan", "planning_image", "registration", "structure_set"})
_ABOUT = re.compile(rb"^ *subject: (?:%s)$" % "|".join(sorted(_ROLES)).encode(), re.MULTILINE)
_FIELD = re.compile(rb"^((?: |- )*)([a-z0-9_]+)(?=:[ \r\n])", re.MULTILINE)


def is_own(leaf: Leaf) -> bool:
    """Return whether an element holds what it would hold for any patient."""
    value = leaf.value.rstrip(b"\0 ")
    return value in _ANYWHERE or value == _dummies().get(leaf.tag)


@functools.cache
def _dummies() -> Mapping[int, bytes]:
    return {line.tag: line.dummy.encode("ascii") for line in read_keep_list() if line.dummy}


def without_fields(data: bytes) -> bytes:
    """Return a YAML file without the names of the fields that our schemas give."""
    names = _field_names()
    data = _ABOUT.sub(b"", data)
    return _FIELD.sub(lambda match: match[1] if match[2].decode() in names else match[0], data)


@functools.cache
def _field_names() -> frozenset[str]:
    from rttqa_build.library import shipped

    found: set[str] = set()
    waiting: list[Any] = [json.loads(path.read_bytes()) for path in shipped("schemas").glob("*.schema.json")]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found.update(node["properties"] if isinstance(node.get("properties"), dict) else ())
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return frozenset(found | _ROLES)
