"""From what, and by what, a package was made: an in-toto Statement (v1) as deterministic JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rttqa_build.package.bag import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Mapping

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:x-rttqa-build:provenance:1"


@dataclass(frozen=True, slots=True)
class Supplemented:
    """What a supplement refers to without holding it: what was received before.

    ``package`` and ``content`` name the last received package and its content digest; ``objects`` are the
    pseudonymous SOP Instance UIDs of the RT objects that were sent, ``images`` how many images.
    """

    package: str
    content: str
    objects: tuple[str, ...]
    images: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the statement says beside its subject.

    ``versions``: tool, profile, compressor and renderer, by name. ``inputs``: HMACs (hex) under the trial's
    input key, by role; a plain digest of an input would let anyone who holds it recognise the patient.
    """

    trial: str
    trial_digest: str
    key_fingerprint: str
    versions: Mapping[str, str]
    inputs: Mapping[str, str]
    supplemented: Supplemented | None = None


def statement(content_digest: str, facts: Provenance) -> bytes:
    """Return ``provenance.json`` for the payload whose manifest has this SHA-256."""
    document: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": MANIFEST, "digest": {"sha256": content_digest}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "versions": dict(facts.versions),
            "trial": {"id": facts.trial, "digest": {"sha256": facts.trial_digest}},
            "keyFingerprint": facts.key_fingerprint,
            "inputs": [
                {"name": name, "digest": {"hmac-sha256": value}}
                for name, value in sorted(facts.inputs.items())
            ],
        },
    }
    if facts.supplemented is not None:
        document["predicate"]["supplements"] = _earlier(facts.supplemented)
    return (json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _earlier(facts: Supplemented) -> dict[str, object]:
    return {
        "package": facts.package,
        "content": {"sha256": facts.content},
        "objects": list(facts.objects),
        "images": facts.images,
    }
