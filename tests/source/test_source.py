"""YAML cut down to JSON: data, places, findings; canonical JSON; writing and reading back."""

from __future__ import annotations

import time
import unicodedata
from decimal import Decimal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.source import Document, Json, canonical, dump, parse, read


def findings(data: bytes) -> list[str]:
    return [f"{d.where.line}:{d.where.column} {d.code}" for d in parse(data, "m.yaml")[1]]


def data(text: str) -> Json:
    document, found = parse(text.encode(), "m.yaml")
    assert found == ()
    assert document is not None
    return document.data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", 1),
        ("a: -0", Decimal("-0")),
        ("a: 1.50", Decimal("1.50")),
        ("a: 0123", "0123"),
        ("a: 1e3", "1e3"),
        ("a: 1.", "1."),
        ("a: .5", ".5"),
        ("a: +1", "+1"),
        ("a: 1_000", "1_000"),
        ("a: 0x1f", "0x1f"),
        ("a: 12:30", "12:30"),
        ("a: 2026-12-14", "2026-12-14"),
        ("a: no", "no"),
        ("a: True", "True"),
        ("a: ~", "~"),
        ("a: .inf", ".inf"),
        ("a: true", True),
        ("a: false", False),
        ("a: null", None),
        ("a:", None),
        ("a: '1'", "1"),
        ('a: "true"', "true"),
        ("a: ''", ""),
        ("a: |\n  x\n  y\n", "x\ny\n"),
        ("a: [1, {b: c}]", [1, {"b": "c"}]),
        ("a: ${RTTQA_DATA}", "${RTTQA_DATA}"),
    ],
)
def test_scalars(text: str, value: Json) -> None:
    read = data(text)
    assert isinstance(read, dict)
    assert read["a"] == value
    assert type(read["a"]) is type(value)


def test_long_numbers_keep_their_text() -> None:
    for text in ("9" * 5000, "1." + "3" * 5000, "-0.0", "0.0000000001"):
        assert canonical(data(text)).decode() == text


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (b"", ["1:1 M006"]),
        (b"# nothing\n", ["1:1 M006"]),
        (b" " * (1024 * 1024 + 1), ["0:0 M001"]),
        (b"\x89PNG\r\n\x1a\n", ["1:1 M002"]),
        (b"a: 1\nb: \xe9t\xe9\n", ["2:4 M002"]),
        ("a: 1\n".encode("utf-16"), ["1:1 M002"]),
        (b"a: 1\nb: x\x00y\n", ["2:5 M003"]),
        ("a: abc\u202egpj.exe\n".encode(), ["1:7 M003"]),
        ("a: x\u2028y\n".encode(), ["1:5 M003"]),
        (b'a: "\\0"\n', ["1:4 M003"]),
        (b"a: b: c\n", ["1:5 M004"]),
        (b"a: 1\n b: 2\n", ["2:3 M004"]),
        (b"a: 'x\nb: 1\n", ["1:4 M004"]),
        (b'a: "C:\\plan"\n', ["1:7 M004"]),
        (b"a: [1, 2\nb: 3\n", ["2:2 M004"]),
        (b"a: {b: c #1}\nd: 3\n", ["1:10 M004"]),
        (b"a: [b, c #1, d]\nd: 3\n", ["1:10 M004"]),
        (b"- a\nb: 1\n", ["2:1 M004"]),
        (b"%PDF-1.7\n", ["1:7 M004"]),
        (b"a: @x\n", ["1:4 M004"]),
        (b"a: 1\nb\n", ["2:1 M004"]),
        (b"a: 1\nb:2\nc: 3\n", ["2:1 M004"]),
        (b"<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> x\nb: 1\n<<<<<<< HEAD\n", ["1:1 M004", "7:1 M004"]),
        (b"a:\n\tb: 1\n\tc: 1\n", ["2:1 M005", "3:1 M005"]),
        (b"[" * 200_000, ["1:51 M007"]),
        (b"{a: " * 1000, ["1:201 M007"]),
        (b"a: 1\n---\nb: 1\n", ["2:1 M008"]),
        (b"a: 1\nb: 2\na: 3\n", ["3:1 M009"]),
        ("é: 1\ne\u0301: 2\n".encode(), ["2:1 M009"]),
        (b"a: &x 1\n", ["1:4 M010"]),
        (b"a: &x 1\nb: *x\n", ["1:4 M010", "2:4 M010"]),
        (b"&x a: 1\n", ["1:1 M010"]),
        (b"a: !!python/object:os.system x\n", ["1:4 M011"]),
        (b"a: ! x\n", ["1:4 M011"]),
        (b"<<: {a: 1}\n", ["1:1 M012"]),
        (b"? [a]\n: 1\n", ["1:3 M013"]),
        (b"{[a]: 1}\n", ["1:2 M013"]),
    ],
)
def test_findings_have_places(text: bytes, places: list[str]) -> None:
    started = time.perf_counter()
    assert findings(text) == places
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("text", [b"a: 1\na: 2\nb: &x 3\n<<: {}\nc: !t 1\n? !u d\n: 1\n"])
def test_findings_of_one_run_are_all_told(text: bytes) -> None:
    assert findings(text) == ["2:1 M009", "3:4 M010", "4:1 M012", "5:4 M011", "6:3 M011"]
    assert parse(text, "m.yaml")[0] is not None


def test_messages_hold_no_value() -> None:
    for text in (
        b"name: 'Mary Poppins\n",
        b"a: Mary: Poppins\n",
        b'a: "Mary\\Poppins"\n',
        b"a: 1\na: Poppins\n",
    ):
        for said in parse(text, "m.yaml")[1]:
            assert "Poppins" not in said.message + said.hint


def test_many_findings_are_cut_off() -> None:
    assert len(findings(b"{" + b"a," * 10_000 + b"a}")) == 50


@pytest.mark.parametrize("text", [b"\xef\xbb\xbfa: 1\nb: [x]\n", b"a: 1\r\nb: [x]\r\n"])
def test_windows_editors(text: bytes) -> None:
    document, found = parse(text, "m.yaml")
    assert found == ()
    assert document is not None
    assert document.data == {"a": 1, "b": ["x"]}
    assert str(document.at(("b", 0))) == "m.yaml:2:5"


def test_places_of_keys_and_values() -> None:
    document, _ = parse(b"a: 1\nb:\n  - {c: x}\n", "m.yaml")
    assert isinstance(document, Document)
    assert str(document.at(("b", 0, "c"))) == "m.yaml:3:9"
    assert str(document.key(("b", 0, "c"))) == "m.yaml:3:6"
    assert document.at(("b", 0, "c")).item == "b[0].c"
    assert str(document.at(("b", 7, "d"))) == "m.yaml:3:3"
    assert str(document.key(("b", 0))) == "m.yaml:3:5"
    assert str(document.key(("z",))) == "m.yaml:1:1"
    assert dict(document.texts()) == {("b", 0, "c"): "x"}
    assert "x" not in repr(document)


def test_the_python_parser_does_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "_LOADER", yaml.SafeLoader)
    assert data("a: [1, {b: 'c'}]") == {"a": [1, {"b": "c"}]}
    assert findings(b"[" * 200_000) == ["1:51 M007"]
    assert findings(b"a:\n\tb: 1\n") == ["2:1 M005"]
    assert findings(b"a: 1\n b: 2\n") == ["2:3 M004"]


def test_canonical() -> None:
    value: Json = {"b": [1, Decimal("1.50"), None, True], "e\u0301": "e\u0301", "a": {"z": 'x"y'}}
    assert canonical(value).decode() == '{"a":{"z":"x\\"y"},"b":[1,1.50,null,true],"é":"é"}'
    with pytest.raises(TypeError):
        canonical(1.5)  # type: ignore[arg-type]  # what the types forbid must fail, too


def test_dump_quotes_what_another_reader_could_take_for_something_else() -> None:
    value: Json = {
        "a": "no",
        "b": "0123",
        "c": "two words",
        "d": "x: y",
        "e": [],
        "f": {"g": [[1], {"h": "i", "j": 2}]},
    }
    assert dump(value) == (
        'a: "no"\nb: "0123"\nc: two words\nd: "x: y"\ne: []\nf:\n  g:\n    - - 1\n    - h: i\n      j: 2\n'
    )
    assert yaml.safe_load(dump(value)) == value


SHOWN = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20).filter(
    lambda text: read._INVISIBLE.search(text) is None
)
TEXTS = st.one_of(
    SHOWN,
    st.sampled_from(["a\nb", "a\tb", "true", "1", "-", "- a", "#", "a #b", "'", '"', "\\", "<<", "&a", "y"]),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False, places=3),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(TEXTS.map(lambda text: unicodedata.normalize("NFC", text)), inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_what_is_written_reads_back(value: Json) -> None:
    document, found = parse(dump(value).encode(), "x")
    assert found == ()
    assert document is not None
    assert document.data == value
    assert canonical(document.data) == canonical(value)
    assert dump(document.data) == dump(value)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60), st.text(alphabet="ab:-[]{}&*!|>'\"#%@,?\n\t 0.", max_size=40).map(str.encode)
    )
)
def test_any_bytes_give_a_document_or_a_finding(noise: bytes) -> None:
    document, found = parse(noise, "x")
    assert document is not None or found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: [\n" + "\u00a0\n" * 200_000, "200001:1 M003"),
        ("a:\n" + "\tb\n" * 200_000, "2:1 M005"),
        ("a: b: c\n" + "<<<<<<< x\n" * 80_000, "2:1 M004"),
    ],
    ids=["spaces", "tabs", "conflicts"],
)
def test_the_places_of_a_hundred_thousand_slips_are_told_in_no_time(text: str, found: str) -> None:
    started = time.perf_counter()
    assert findings(text.encode())[0] == found
    assert time.perf_counter() - started < 5
