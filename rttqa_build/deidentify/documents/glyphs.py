"""A page's content stream → every letter it draws, with its place: in whatever order, however far apart.

ISO 32000-1, 8.3, 9.2-9.4. Nothing is painted; of the state only what moves letters is followed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from rttqa_build.deidentify.documents.scrubbed import RefusedError
from rttqa_build.deidentify.documents.walk import said, standard_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Matrix = tuple[float, float, float, float, float, float]

_UPRIGHT: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_MOST_OPERATIONS = 3_000_000  # of all pages: operators, letters, entries of the fonts that each page names
_MOST_LETTERS = 300_000  # of one page
_ENTRIES = 16  # of a font's tables, that take as long as an operator
_DEEPEST = 20
_TOO_MUCH = "The PDF document draws more than a form or report would."
_EMBEDDED_FONTS = ("/FontFile", "/FontFile2", "/FontFile3")
_UNREAD_IN_A_RUN, _UNREAD_ON_A_PAGE = 3, 5  # distinct: bullets and ticks are no name


class Glyph(NamedTuple):
    """A letter as it stands: ``turn`` is the direction of writing in degrees.

    ``along`` and ``across`` (to the left of the direction) give the beginning of its base line, ``width`` how
    far the next one is, ``size`` the height of the font, all in units of the page.
    """

    text: str
    turn: int
    across: float
    along: float
    width: float
    size: float


class Font:
    """A font of a PDF: codes → letters and widths."""

    def __init__(self, resource: Any) -> None:
        from pypdf.generic._font import Font as Table

        self._table = Table.from_font_resource(resource)
        self._composite = resource.get("/Subtype") == "/Type0"
        self._trusted = _is_trusted(resource, self._table)
        self._unit = _unit(resource)
        self.entries = len(self._table.character_map) + len(self._table.character_widths)

    def letters(self, codes: bytes) -> Iterator[tuple[str, str, float]]:
        """Yield code, letter (none where the font does not tell) and width, for a size of one."""
        table = self._table
        encoding = table.encoding
        if isinstance(encoding, str):
            read = [(c, c) for c in codes.decode(encoding, "replace")]
        else:
            read = [(chr(code), encoding.get(code, "")) for code in codes]
        for code, letter in read:
            known = table.character_map.get(letter) or (letter if self._trusted else "")
            width = table.character_widths.get(code, table.character_widths.get("default", 500))
            yield code, known if _is_text(known) else "", float(width) * self._unit

    def is_blank(self, code: str) -> bool:
        """Return whether a code is the one that word spacing widens."""
        return code == " " and not self._composite


def _unit(resource: Any) -> float:
    if resource.get("/Subtype") == "/Type3":
        return abs(float(resource["/FontMatrix"][0]))
    return 0.001


def _is_trusted(resource: Any, table: Any) -> bool:
    """Return whether codes that no ToUnicode table explains stand for letters by their encoding."""
    encoding = resource.get("/Encoding")
    encoding = encoding.get_object() if encoding is not None else None
    if resource.get("/Subtype") == "/Type0":
        told = str(encoding)
        return "UCS2" in told or "UTF16" in told or (told[:1] == "/" and table.encoding != "utf-16-be")
    descriptor = resource.get("/FontDescriptor")
    embedded = descriptor is not None and any(key in descriptor.get_object() for key in _EMBEDDED_FONTS)
    return bool(table.interpretable) and (encoding is not None or not embedded)


def _is_text(letter: str) -> bool:
    """Return whether it is a letter at all: no private code, no control, no name of a glyph."""
    if len(letter) > 1 and letter[0] == "/":
        return False
    return bool(letter) and not any(
        c == "\ufffd" or "\ue000" <= c <= "\uf8ff" or (c < " " and not c.isspace()) for c in letter
    )


class _State(NamedTuple):
    """What ``q`` keeps and ``Q`` brings back."""

    matrix: Matrix = _UPRIGHT
    font: Font | None = None
    size: float = 1.0
    spacing: float = 0.0
    word_spacing: float = 0.0
    stretch: float = 1.0
    leading: float = 0.0
    rise: float = 0.0


class Drawing:
    """All letters that content streams draw; shared by a document's pages, so that its bounds are too."""

    def __init__(self) -> None:
        self._fonts: dict[int, Font | None] = {}
        self._left = _MOST_OPERATIONS

    def read(self, content: Any, resources: Any) -> Reading:
        """Return the letters of a page or drawing."""
        reading = Reading(self)
        reading.draw(content, resources.get_object() if resources is not None else None, 0)
        return reading

    def spend(self, operations: int = 1) -> None:
        """Count what is done; raise :class:`RefusedError` when it is too much."""
        self._left -= operations
        if self._left < 0:
            raise RefusedError("A205", _TOO_MUCH)

    def look_up(self, resources: Any) -> None:
        """Read all fonts that are named, as every reader of the page will."""
        fonts = resources.get("/Font") if isinstance(resources, dict) else None
        fonts = fonts.get_object() if fonts is not None else None
        for resource in fonts.values() if isinstance(fonts, dict) else ():
            font = self.font(resource)
            self.spend(1 + (font.entries // _ENTRIES if font else 0))

    def font(self, resource: Any) -> Font | None:
        """Return a font, read once; None for what is none."""
        resource = resource.get_object() if resource is not None else None
        if id(resource) not in self._fonts:
            self._fonts[id(resource)] = font = Font(resource) if isinstance(resource, dict) else None
            self.spend(font.entries // _ENTRIES if font else 1)
        return self._fonts[id(resource)]


class Reading:
    """Follows the operators of one page; ``said`` is what marks in it say besides."""

    def __init__(self, drawing: Drawing) -> None:
        self.glyphs: list[Glyph] = []
        self.said: list[str] = []
        self._drawing = drawing
        self._state = _State()
        self._stack: list[_State] = []
        self._line = self._place = _UPRIGHT
        self._names = set(standard_keys())
        self._unread: set[str] = set()
        self._unread_run = False
        self._resources: Any = {}
        self._depth = 0
        self._do: Mapping[bytes, Callable[..., None]] = {
            b"q": self._keep, b"Q": self._bring_back, b"cm": self._turn, b"BT": self._begin,
            b"Tf": self._choose, b"gs": self._choose_state, b"Td": self._move, b"TD": self._move_leading,
            b"Tm": self._set_place, b"T*": self._next_line, b"Tj": self._show, b"TJ": self._show_all,
            b"'": self._show_below, b'"': self._show_spaced, b"Do": self._draw_form,
            b"Tc": lambda n: self._set(spacing=float(n)), b"Tw": lambda n: self._set(word_spacing=float(n)),
            b"Tz": lambda n: self._set(stretch=float(n) / 100), b"TL": lambda n: self._set(leading=float(n)),
            b"BMC": self._mark, b"BDC": self._mark, b"MP": self._mark, b"DP": self._mark,
            b"Ts": lambda n: self._set(rise=float(n)),
        }  # fmt: skip

    @property
    def is_unread(self) -> bool:
        """Whether there is writing whose letters no table gives."""
        return self._unread_run or len(self._unread) >= _UNREAD_ON_A_PAGE

    def draw(self, content: Any, resources: Any, depth: int) -> None:
        """Follow a content stream."""
        from pypdf.generic import ContentStream

        before = self._resources, self._depth, self._stack
        self._resources, self._depth, self._stack = resources, depth, []
        self._drawing.look_up(resources)
        if not isinstance(content, ContentStream):
            content = ContentStream(content, None, "bytes")
        for operands, operator in content.operations:
            self._drawing.spend()
            if (do := self._do.get(operator)) is not None:
                try:
                    do(*operands)
                except (TypeError, ValueError, ArithmeticError):
                    continue  # operands that are none: programs ignore the operator, too
        self._resources, self._depth, self._stack = before

    # --- state ---

    def _set(self, **changes: Any) -> None:
        self._state = self._state._replace(**changes)

    def _keep(self) -> None:
        self._stack.append(self._state)

    def _bring_back(self) -> None:
        if self._stack:
            self._state = self._stack.pop()

    def _turn(self, *matrix: float) -> None:
        self._set(matrix=_times(_matrix(matrix), self._state.matrix))

    def _choose(self, name: Any, size: float) -> None:
        self._set(font=self._drawing.font(self._named("/Font", name)), size=float(size))

    def _choose_state(self, name: Any) -> None:
        chosen = (self._named("/ExtGState", name) or {}).get("/Font")
        if chosen is not None:
            font, size = chosen.get_object()
            self._set(font=self._drawing.font(font), size=float(size))

    def _named(self, kind: str, name: Any) -> Any:
        table = self._resources.get(kind) if self._resources else None
        thing = table.get_object().get(name) if table is not None else None
        return thing.get_object() if thing is not None else None

    # --- places ---

    def _begin(self) -> None:
        self._line = self._place = _UPRIGHT

    def _move(self, right: float, up: float) -> None:
        self._line = self._place = _times((1, 0, 0, 1, float(right), float(up)), self._line)

    def _move_leading(self, right: float, up: float) -> None:
        self._set(leading=-float(up))
        self._move(right, up)

    def _set_place(self, *matrix: float) -> None:
        self._line = self._place = _matrix(matrix)

    def _next_line(self) -> None:
        self._move(0, -self._state.leading)

    def _advance(self, by: float) -> None:
        self._place = _times((1, 0, 0, 1, by, 0), self._place)

    # --- letters ---

    def _show(self, text: Any) -> None:
        self._show_all([text])

    def _show_below(self, text: Any) -> None:
        self._next_line()
        self._show(text)

    def _show_spaced(self, words: float, letters: float, text: Any) -> None:
        self._set(word_spacing=float(words), spacing=float(letters))
        self._show_below(text)

    def _show_all(self, pieces: Any) -> None:
        unread: set[str] = set()
        for piece in pieces:
            if isinstance(piece, bytes):
                unread.update(self._letters(piece))
            elif isinstance(piece, (int, float)):
                self._advance(-float(piece) / 1000 * self._state.size * self._state.stretch)
        self._unread |= unread
        self._unread_run |= len(unread) >= _UNREAD_IN_A_RUN

    def _letters(self, codes: bytes) -> Iterator[str]:
        """Place the letters of a string; yield the codes of which nobody knows the letter."""
        font = self._state.font
        if font is None:
            yield from codes.decode("latin_1")
            return
        for code, letter, width in font.letters(codes):
            self._drawing.spend()
            state = self._state
            blank = state.word_spacing if font.is_blank(code) else 0.0
            step = (width * state.size + state.spacing + blank) * state.stretch
            if letter:
                self._put(letter, width * state.size * state.stretch)
            else:
                yield code
            self._advance(step)

    def _put(self, letter: str, width: float) -> None:
        state = self._state
        a, b, c, d, e, f = _times(_times((1, 0, 0, 1, 0, state.rise), self._place), state.matrix)
        length = math.hypot(a, b)
        if not length:
            return
        turn = round(math.degrees(math.atan2(b, a))) % 360
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        size = abs(state.size) * (abs(a * d - b * c) / length or length)
        across, along = f * cos - e * sin, e * cos + f * sin
        if len(self.glyphs) >= _MOST_LETTERS:
            raise RefusedError("A205", _TOO_MUCH)
        self.glyphs.append(Glyph(letter, turn, across, along, width * length, size))

    def _mark(self, *things: Any) -> None:
        """Note what marked content is called and said to be (ISO 32000-1, 14.6)."""
        for thing in things:
            if isinstance(thing, dict):
                self._mark(*thing.keys(), *thing.values())
            elif isinstance(thing, list):
                self._mark(*thing)
            elif not (isinstance(thing, str) and thing in self._names):
                self._names |= {thing} if isinstance(thing, str) else set()
                self.said.extend(said(thing))

    def _draw_form(self, name: Any) -> None:
        form = self._named("/XObject", name)
        if form is None or form.get("/Subtype") != "/Form":
            return
        if self._depth >= _DEEPEST:
            raise RefusedError("A205", _TOO_MUCH)
        before, line, place = self._state, self._line, self._place
        self._turn(*form.get("/Matrix", _UPRIGHT))
        resources = form.get("/Resources")
        self.draw(form, self._resources if resources is None else resources.get_object(), self._depth + 1)
        self._state, self._line, self._place = before, line, place


def _matrix(numbers: Any) -> Matrix:
    a, b, c, d, e, f = map(float, numbers)
    if not all(map(math.isfinite, (a, b, c, d, e, f))):
        raise ValueError
    return a, b, c, d, e, f


def _times(one: Matrix, two: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    g, h, i, j, k, m = two
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m
