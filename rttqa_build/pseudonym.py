"""Keyed pseudonyms: UIDs, date offsets, patient tokens and input digests under the centre's secret key.

Everything here is a pure function of key, scope and input (``docs/pseudonyms.md``);
nothing is stored, so a resubmission years later lines up with the first one as long as the key is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_LENGTH = 32
_KEY_LINE = re.compile(r"rttqa-key-1:([0-9a-f]{64}):([0-9a-f]{8})\n?")
PUT_BACK = (
    "move it away, then put the key back from its copy: `rttqa-build key restore`; do not make a new key"
)
_SCOPE = re.compile(r"[a-z0-9-]+")
_MINIMUM_WEEKS, _WEEK_RANGE = 52, 469


def hkdf(secret: bytes, info: bytes, length: int = KEY_LENGTH) -> bytes:
    """Return HKDF-SHA-256 (RFC 5869) output without salt, for at most 32 bytes: one expansion step."""
    pseudorandom_key = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(pseudorandom_key, info + b"\x01", "sha256")[:length]


@dataclass(frozen=True, slots=True, repr=False)
class CentreKey:
    """The centre's 32-byte secret. Its ``repr`` shows the fingerprint only."""

    secret: bytes

    def __repr__(self) -> str:
        """Return a text that does not hold the secret."""
        return f"CentreKey(fingerprint={self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """Return 16 hex digits that name the key and tell nothing about it."""
        return hkdf(self.secret, b"rttqa-build/1/fingerprint", 8).hex()

    def to_line(self) -> str:
        """Return the content of a key file: prefix, key and check digits (of the key's SHA-256)."""
        return f"rttqa-key-1:{self.secret.hex()}:{hashlib.sha256(self.secret).hexdigest()[:8]}\n"

    @classmethod
    def parse(cls, text: str) -> CentreKey:
        """Return the key of a key file's content; raise :class:`UsageError` when it is damaged."""
        match = _KEY_LINE.fullmatch(text)
        if match is None:
            raise UsageError(
                "the key file does not hold a key",
                f"it has one line, rttqa-key-1:…; {PUT_BACK}",
                code="A001",
            )
        key = cls(bytes.fromhex(match[1]))
        if key.to_line().strip() != match[0].strip():
            raise UsageError(
                "the key file is damaged: its check digits do not fit",
                PUT_BACK,
                code="A001",
            )
        return key


@dataclass(frozen=True, slots=True, repr=False)
class Pseudonyms:
    """The four derived keys of one trial scope."""

    uid_key: bytes
    date_key: bytes
    patient_key: bytes
    input_key: bytes

    @classmethod
    def derive(cls, key: CentreKey, scope: str) -> Pseudonyms:
        """Derive the keys of a ``pseudonym_scope`` (``[a-z0-9-]+``)."""
        if not _SCOPE.fullmatch(scope):
            raise UsageError(
                "a pseudonym scope holds small letters, digits and hyphens only",
                "correct `pseudonym_scope` in the trial's definition",
            )
        return cls(*(hkdf(key.secret, f"rttqa-build/1/{scope}/{use}".encode()) for use in _USES))

    def base_uid(self, original: str | bytes) -> str:
        """Return the UID that stands for ``original`` for ever (trailing NULs and spaces do not count)."""
        return _uid(self.uid_key, _uid_bytes(original))

    def final_uid(self, original: str | bytes, contents: Iterable[bytes]) -> str:
        """Return the SOP Instance UID of an RT object whose closure has the given SHA-256 digests.

        ``contents``: the 32-byte digests *f* of the object and of every RT object reachable from it.
        """
        return _uid(self.uid_key, _uid_bytes(original) + b"".join(sorted(contents)))

    def series_uid(self, series: str | bytes, sop_instance: str | bytes) -> str:
        """Return the Series Instance UID of one RT object: a series of its own, whatever it shared before."""
        return _uid(self.uid_key, _uid_bytes(series) + b"|" + _uid_bytes(sop_instance))

    def weeks_back(self, subject: str) -> int:
        """Return by how many whole weeks the dates of a trial ID move into the past (52 to 520)."""
        digest = hmac.digest(self.date_key, subject.encode(), "sha256")
        return _MINIMUM_WEEKS + int.from_bytes(digest[:8], "big") % _WEEK_RANGE

    def patient_token(self, kind: str, value: str) -> str:
        """Return a token (64 hex digits) by which two submissions of one trial compare."""
        return hmac.new(self.patient_key, f"{kind}:{value}".encode(), "sha256").hexdigest()

    def input_token(self, digests: Iterable[str]) -> str:
        """Return one token (64 hex digits) for a set of inputs, given by their SHA-256 in hex."""
        return hmac.new(self.input_key, "\n".join(sorted(digests)).encode(), "sha256").hexdigest()


_USES = ("uid", "date", "patient", "input")


def _uid(key: bytes, message: bytes) -> str:
    return f"2.25.{int.from_bytes(hmac.digest(key, message, 'sha256')[:16], 'big')}"


def _uid_bytes(uid: str | bytes) -> bytes:
    raw = uid.encode("latin-1", "replace") if isinstance(uid, str) else uid
    return raw.rstrip(b"\0 ")
