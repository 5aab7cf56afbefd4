"""What is selected → one warning for the submission where its images show a head.

Told by the body part that the images name, by structures that only a head has, or by the trial: one that asks
for such structures is a trial of the head or neck.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rttqa_build.diagnostic import Location, finding
from rttqa_build.study import ImageFacts, StructureFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rttqa_build.diagnostic import Diagnostic
    from rttqa_build.resolve.roles import Selected
    from rttqa_build.trial import Trial

_MODALITIES = frozenset({"CT", "MR"})
# PS3.16 CID 4031 (Body Part Examined, PS3.16 Annex L), as the words begin
_BODY_PARTS = (
    *("HEAD", "BRAIN", "SKULL", "NECK", "FACE", "FACIAL", "ORBIT", "EYE", "EAR", "NOSE", "JAW", "MAXILLA"),
    *("MANDIBLE", "TONGUE", "MOUTH", "PHARYNX", "NASOPHARYNX", "OROPHARYNX", "LARYNX", "PAROTID", "IAC"),
    *("SINUS", "PITUITARY", "CEREBRAL", "CEREBELLUM", "INTRACRANIAL", "HEADNECK", "WHOLEBODY"),
)
_HEAD = re.compile(
    r"(?i)(?<![a-z])(brain|orbit|optic|opt ?nerve|chiasm|optchiasm|cochlea|parotid|mandib|oral ?cav"
    r"|cavity ?oral|pituitary|lacrimal|submand|hippocamp|retina|cornea|tongue|nasophar|orophar|skull"
    r"|temporal ?lobe|lobe ?temporal|palate|(eyes?|eyeballs?|lens|lenses|lips?)(?![a-z]))"
)


def check_faces(selected: tuple[Selected, ...], trial: Trial) -> Iterator[Diagnostic]:
    """Yield one warning where a face can be rebuilt from the images that are selected."""
    series = [item for item in selected if item.instances[0].modality in _MODALITIES and _is_image(item)]
    shown = [item for item in series if _names_head(item)] or (series if _has_head(selected, trial) else [])
    for item in shown[:1]:
        message = "the images show the head: a face can be rebuilt from them"
        yield finding("A008", message, Location(item.place), subject=item.name)


def _is_image(item: Selected) -> bool:
    return isinstance(item.instances[0].facts, ImageFacts)


def _names_head(item: Selected) -> bool:
    parts = {i.facts.body_part.upper() for i in item.instances if isinstance(i.facts, ImageFacts)}
    return any(part.replace(" ", "").startswith(_BODY_PARTS) for part in parts)


def _has_head(selected: tuple[Selected, ...], trial: Trial) -> bool:
    """Return whether a structure set has structures of a head, or the trial asks for them."""
    facts = (instance.facts for item in selected for instance in item.instances)
    drawn = (roi.name for one in facts if isinstance(one, StructureFacts) for roi in one.rois if roi.contours)
    asked = (rule.name for rule in trial.structures if rule.required)
    return any(_HEAD.search(name.replace("_", " ")) for name in (*drawn, *asked))
