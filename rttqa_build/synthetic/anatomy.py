"""A male pelvis made of ellipses: its organs, and the CT numbers or MR signal of any plane.

The isocentre, the middle of the prostate, is the origin. Only correctly rounded arithmetic decides voxel
values, so the patient is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from rttqa_build.synthetic.geometry import Column, Ellipsoid, Rectangle, Solid, section_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rttqa_build.synthetic.geometry import Grid

    Plane: TypeAlias = NDArray[np.int32]

BODY = Column(-999, 999, (0, -5), (188, 112))
COUCH = Column(-999, 999, (0, 126), (225, 18), section=Rectangle)
PROSTATE = Ellipsoid((0, 0, 0), (24, 19, 22))
VESICLES = Ellipsoid((0, 13, 26), (26, 7, 10))
PTV_HIGH = Ellipsoid((0, -0.5, 0), (30, 25, 28))
PTV_LOW = Ellipsoid((0, 2, 8), (37, 27, 40))
RECTUM = Column(-46, 72, (0, 36), (17, 15), bend=0.0026)
BLADDER = Ellipsoid((0, -19, 46), (44, 29, 30))
FEMUR_L = Ellipsoid((93, -2, 16), (24, 24, 24))
FEMUR_R = Ellipsoid((-93, -2, 16), (24, 24, 24))
BULB = Ellipsoid((0, -4, -43), (11, 9, 9))
BOWEL = Ellipsoid((18, -64, 76), (72, 23, 24))


@dataclass(frozen=True, slots=True)
class Tissue:
    """What fills a solid: CT number (HU) and T2-weighted MR signal."""

    solid: Solid
    hu: int
    signal: int


def _sides(middle: tuple[float, float, float], semi: tuple[float, float, float]) -> tuple[Solid, Solid]:
    x, y, z = middle
    return Ellipsoid((x, y, z), semi), Ellipsoid((-x, y, z), semi)


def _bone(middle: tuple[float, float, float], semi: tuple[float, float, float]) -> list[Tissue]:
    """Return both sides of a bone: cortex, then marrow 4 mm below it."""
    marrow = (max(semi[0] - 4, 2), max(semi[1] - 4, 2), max(semi[2] - 4, 2))
    return [Tissue(solid, 620, 60) for solid in _sides(middle, semi)] + [
        Tissue(solid, 210, 420) for solid in _sides(middle, marrow)
    ]


def _muscle(middle: tuple[float, float, float], semi: tuple[float, float, float]) -> list[Tissue]:
    return [Tissue(solid, 52, 160) for solid in _sides(middle, semi)]


# Painted in this order: what comes later lies on top.
TISSUES: tuple[Tissue, ...] = (
    Tissue(COUCH, -560, 0),
    Tissue(Column(-999, 999, (0, 126), (222, 15), section=Rectangle), -880, 0),
    Tissue(BODY, 20, 250),
    Tissue(Column(-999, 999, (0, -5), (186, 110)), -104, 690),
    *_muscle((70, 66, 15), (70, 30, 120)),
    *_muscle((78, -58, 20), (34, 28, 110)),
    *_muscle((128, 8, 0), (38, 52, 110)),
    *_muscle((62, 0, 5), (16, 44, 70)),
    Tissue(Ellipsoid((0, -96, 40), (62, 7, 90)), 48, 160),
    Tissue(Ellipsoid((0, 8, 20), (58, 62, 110)), -86, 640),
    *_bone((74, 2, 34), (24, 40, 40)),
    *_bone((106, 34, 74), (14, 46, 46)),
    *_bone((50, 44, -22), (15, 19, 46)),
    *_bone((27, -50, -4), (25, 10, 17)),
    *_bone((121, 14, -22), (22, 24, 40)),
    *_bone((30, 84, 72), (44, 15, 50)),
    Tissue(Ellipsoid((0, 80, 18), (9, 6, 22)), 420, 90),
    *(Tissue(solid, 40, 300) for solid in _sides((93, -2, 16), (27, 27, 27))),
    Tissue(FEMUR_L, 560, 60),
    Tissue(FEMUR_R, 560, 60),
    *(Tissue(solid, 300, 430) for solid in _sides((93, -2, 16), (21, 21, 21))),
    Tissue(BULB, 46, 520),
    Tissue(BOWEL, 24, 300),
    Tissue(Ellipsoid((40, -68, 78), (18, 10, 12)), -820, 10),
    Tissue(Ellipsoid((-18, -62, 74), (20, 12, 12)), 34, 420),
    Tissue(BLADDER, 30, 260),
    Tissue(Ellipsoid((0, -19, 46), (41, 26, 27)), 6, 980),
    Tissue(VESICLES, 30, 620),
    Tissue(PROSTATE, 44, 470),
    Tissue(Ellipsoid((0, -4, 4), (15, 11, 15)), 38, 330),
    Tissue(RECTUM, 42, 240),
    Tissue(Column(-40, 70, (0, 36), (13, 11), bend=0.0026), 18, 330),
    Tissue(Ellipsoid((0, 34, 22), (9, 7, 24)), -760, 10),
)


def texture(rows: int, columns: int, plane: int) -> Plane:
    """Return fixed noise, about normal with standard deviation 148: a hash of each voxel's index."""
    i = np.arange(rows, dtype=np.uint32)[:, None] * np.uint32(0x9E3779B1)
    j = np.arange(columns, dtype=np.uint32)[None, :] * np.uint32(0x85EBCA77)
    mixed = i ^ j ^ np.uint32(plane * 0xC2B2AE3D & 0xFFFFFFFF)
    for shift, factor in ((15, 0x2C1B3C6D), (12, 0x297A2D39)):
        mixed ^= mixed >> np.uint32(shift)
        mixed *= np.uint32(factor)
    mixed ^= mixed >> np.uint32(15)
    noise: Plane = mixed.view(np.uint8).reshape(rows, columns, 4).sum(axis=2, dtype=np.int32) - 510
    return noise


def paint(grid: Grid, z: float, *, modality: str) -> Plane:
    """Return one plane [row, column]: CT numbers in HU, or MR signal, softened by a voxel, without noise."""
    x, y = grid.axis(0), grid.axis(1)
    plane = np.full((len(y), len(x)), -1000 if modality == "CT" else 0, dtype=np.int32)
    for tissue in TISSUES:
        section = tissue.solid.at(z)
        if section is not None:
            rows, columns, inside = section_mask(section, x, y)
            plane[rows, columns][inside] = tissue.hu if modality == "CT" else tissue.signal
    return _soften(plane)


def _soften(plane: Plane) -> Plane:
    """Return the plane after a 1-2-1 filter along rows and columns: edges as a scanner shows them."""
    for axis in (0, 1):
        plane = (np.roll(plane, 1, axis) + 2 * plane + np.roll(plane, -1, axis)) // 4
    return plane
