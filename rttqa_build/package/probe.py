"""Proof that this computer compresses and renders to the bytes that this release was tested with."""

from __future__ import annotations

import hashlib

from rttqa_build.diagnostic import Diagnostic, Location, finding
from rttqa_build.package.archive import compress

COMPRESSION_DIGEST = "f1a242fec85554452cf9eecb971546fe59421a9895cfc7315cca300e1598bca5"
RENDERING_DIGEST = "881afdeb13468254af2044df5c9422e953b4ec1a2a0f3167f1119e3e932227ca"

_DOCUMENT = b"""\
#set document(title: "Probe", date: auto)
#set page(width: 80mm, height: 60mm)
#set text(lang: "en", region: "GB")
= Probe
A dose of 60 Gy #sym.plus.minus 0.5 Gy, *mandatory*, _optimal_.
#table(columns: 2, [D95%], [57.1], [V20Gy], [31.4])
"""


def probe() -> tuple[Diagnostic, ...]:
    """Return a finding for each of compressor and renderer whose bytes are not the expected ones."""
    return (
        *_unless(compression() == COMPRESSION_DIGEST, "K001", "The compression library"),
        *_unless(rendering() == RENDERING_DIGEST, "K002", "The PDF renderer"),
    )


def _unless(same: bool, code: str, what: str) -> tuple[Diagnostic, ...]:
    message = f"{what} does not give the bytes that this release was tested with."
    return () if same else (finding(code, message, Location("package"), subject="probe"),)


def compression() -> str:
    """Return the digest of what the compressor makes of text, a smooth ramp and noise."""
    text = b"".join(b"%d\\%d.25\\-%d\\" % (n, n * n % 977, n % 13) for n in range(4000))
    ramp = b"".join((1000 + n % 50 + n // 300).to_bytes(2, "little") for n in range(20000))
    noise = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(256))
    member = compress(text + ramp + noise + bytes(4000) + text)
    return hashlib.sha256(member.payload).hexdigest()


def rendering() -> str:
    """Return the digest of a small PDF with embedded fonts and a fixed time; empty when it fails."""
    import typst

    try:
        pdf = typst.compile(
            _DOCUMENT,
            format="pdf",
            ignore_system_fonts=True,
            pdf_standards=["1.7", "ua-1"],
            timestamp=315532800,
        )
    except typst.TypstError:
        return ""
    return hashlib.sha256(pdf).hexdigest()
