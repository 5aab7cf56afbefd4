"""What summary, report and email show: plain display values, already worded and rounded.

Three parts, by how far they travel. :class:`Summary` goes into the package (the PDF sees nothing else);
:class:`Sending` is told to the trial's contact (email); :class:`Local` never leaves the centre (report).
So a template, a trial's own included, cannot show what its medium must not carry: it is not given it.

Text fields are plain text: no markup, ``""`` where there is nothing to say. All are immutable and compare
by value, so that two builds with equal contexts render equal bytes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Tone = Literal["good", "caution", "bad", "neutral"]
Verdict = Literal["pass", "optimal missed", "borderline", "fail", "not evaluated"]

NOT_EVALUATED: Verdict = "not evaluated"
_TONES: Mapping[Verdict, Tone] = MappingProxyType(
    {
        "pass": "good",
        "optimal missed": "caution",
        "borderline": "caution",
        "fail": "bad",
        NOT_EVALUATED: "neutral",
    }
)


@dataclass(frozen=True, slots=True)
class Contact:
    """A functional mailbox, never a person's private one."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class TrialText:
    """The trial: identifier, title, status in words (empty when confirmed), protocol version, contact."""

    id: str
    title: str
    status: str
    protocol: str
    contact: Contact


@dataclass(frozen=True, slots=True)
class CentreText:
    """Who sends."""

    code: str
    name: str
    contact: Contact


@dataclass(frozen=True, slots=True)
class SubmissionText:
    """What is sent: pseudonym, purpose in words, arm, stratum, revision; from revision 2 kind and reason."""

    subject: str
    purpose: str
    revision: int
    arm: str = ""
    stratum: str = ""
    kind: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ContentRow:
    """One kind of object or document in the package: what it is, in words, and how many there are."""

    what: str
    count: int


@dataclass(frozen=True, slots=True)
class PrescriptionRow:
    """One prescribed target. ``dose`` and ``per_fraction`` carry their unit.

    ``dose_gy`` marks the plot: what all lines of the target prescribe together; 0 where that is not said.
    """

    target: str
    dose: str
    fractions: int
    per_fraction: str
    plan: str = ""
    dose_gy: float = 0.0


@dataclass(frozen=True, slots=True)
class StructureRow:
    """One trial structure: the planning system's name, RT ROI Interpreted Type, volume with unit.

    ``absent`` is the reason why there is none; then the other three are empty.
    """

    name: str
    local_name: str = ""
    type: str = ""
    volume: str = ""
    absent: str = ""


@dataclass(frozen=True, slots=True)
class ConstraintRow:
    """One dose-volume constraint and what was achieved.

    ``verdict`` is a word of :data:`dose.constraints.Verdict` or ``not evaluated``; ``optimal``, ``mandatory``
    and ``achieved`` are worded with operator and unit (``≤ 20 %``);
    ``reported`` is the value of the assessment form or planning system; ``reason`` why a limit is missed.
    """

    structure: str
    metric: str
    optimal: str
    mandatory: str
    achieved: str
    verdict: Verdict
    reported: str = ""
    reason: str = ""
    dose: str = ""

    @property
    def tone(self) -> Tone:
        """Return the colour family of the verdict; the word is always printed beside it."""
        return _TONES[self.verdict]


@dataclass(frozen=True, slots=True)
class Curve:
    """One cumulative DVH: dose in Gy ascending, volume in per cent of the structure; equal lengths."""

    structure: str
    dose_gy: tuple[float, ...]
    volume_percent: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class BeamRow:
    """One beam or application setup. No machine name: it is pseudonymised in the package."""

    name: str
    radiation: str
    energy: str
    delivery: str
    control_points: int
    meterset: str


@dataclass(frozen=True, slots=True)
class PlanText:
    """One plan: its label, facts in reading order, its beams."""

    label: str
    facts: tuple[Fact, ...] = ()
    beams: tuple[BeamRow, ...] = ()


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """An accepted finding: code, its title in the catalogue, what it is about, why it was accepted."""

    code: str
    title: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """One picture: ``width`` × ``height`` RGB pixels, eight bits each, rows from the top, no padding.

    ``width_mm`` and ``height_mm`` are its extent in the patient; ``edges`` the patient directions at its
    left, right, top and bottom edge; ``alt`` describes it for readers who cannot see it.
    """

    title: str
    width: int
    height: int
    pixels: bytes = field(repr=False)
    width_mm: float
    height_mm: float
    edges: tuple[str, str, str, str]
    alt: str


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A coloured line of the views: ``#rrggbb``, what it stands for; thin ones are doses."""

    colour: str
    text: str
    thin: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """One axial picture in layers of ``width`` × ``height`` bytes, rows from the top.

    ``grey`` is brightness; ``structures`` and ``doses`` are 0 or the place, from 1, of a line in the legend.
    """

    title: str
    width: int
    height: int
    grey: bytes = field(repr=False)
    structures: bytes = field(repr=False)
    doses: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Slices:
    """Axial pictures through the targets, foot to head, and all lines that may be drawn on them."""

    planes: tuple[Slice, ...] = ()
    legend: tuple[LegendEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything that the clinical summary may show: it lies in the package.

    Neither the date of radiotherapy start nor package name or digest: those never enter the package.
    ``changes``: what is other than in what was received, by what it is about; ``before``: what that was, for
    a supplement, which does not hold it again; ``dose``: of which dose the curves are, and the constraints
    that name none, where several are sent.
    """

    trial: TrialText
    centre: CentreText
    submission: SubmissionText
    contents: tuple[ContentRow, ...] = ()
    prescription: tuple[PrescriptionRow, ...] = ()
    structures: tuple[StructureRow, ...] = ()
    constraints: tuple[ConstraintRow, ...] = ()
    curves: tuple[Curve, ...] = ()
    plans: tuple[PlanText, ...] = ()
    clinical: tuple[Fact, ...] = ()
    waivers: tuple[WaiverRow, ...] = ()
    views: tuple[View, ...] = ()
    views_legend: tuple[LegendEntry, ...] = ()
    changes: tuple[Fact, ...] = ()
    before: tuple[ContentRow, ...] = ()
    dose: str = ""

    @property
    def verdicts(self) -> tuple[tuple[Verdict, Tone, int], ...]:
        """Return the verdicts that occur, best first: word, tone, number of constraints."""
        counts = Counter(row.verdict for row in self.constraints)
        return tuple((word, tone, counts[word]) for word, tone in _TONES.items() if counts[word])


@dataclass(frozen=True, slots=True)
class Sending:
    """What the email adds: package file name, content digest, start of radiotherapy, portal's word.

    ``radiotherapy_start`` is worded (``14 December 2026``); ``confirmation`` is empty before the upload.
    ``recalled`` are the files that a recall asks to delete: name, and when and with which digest it was sent.
    """

    package: str = ""
    digest: str = ""
    radiotherapy_start: str = ""
    confirmation: str = ""
    recalled: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One finding as the report shows it; ``place`` is file:line:column or the role it is about.

    ``line`` is the place in :attr:`Local.sources` that it points to: number of the text and of its line.
    """

    code: str
    title: str
    severity: str
    place: str
    message: str
    local: str = ""
    hint: str = ""
    waived: str = ""
    line: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text of the repository that findings point to: its path, and its lines."""

    path: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a de-identification rule was applied: the rule in words, elements, files touched.

    ``attributes``: to which attributes, and how often to each.
    """

    rule: str
    elements: int
    files: int
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FreeText:
    """A free-text string that leaves with the package, and where it will stand.

    ``where`` names a field of the summary; of an object it is ``role: attribute``.
    """

    where: str
    text: str
    role: str = ""
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A source file that is not in the package: relative path, reason, and detail. Local only."""

    path: str
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Local:
    """What only the submitter sees."""

    findings: tuple[FindingRow, ...] = ()
    deidentification: tuple[RuleCount, ...] = ()
    texts: tuple[FreeText, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    slices: Slices = field(default_factory=Slices)
    sources: tuple[SourceText, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """The one context of summary, email and report."""

    summary: Summary
    sending: Sending = field(default_factory=Sending)
    local: Local = field(default_factory=Local)
