"""The library of trials: every example is a test, what `trials check` finds, how a definition begins."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rttqa_build import disk
from rttqa_build.diagnostic import UsageError
from rttqa_build.library import Library, shipped
from rttqa_build.lint import curation, lint
from rttqa_build.lint.examples import behaviour, said
from rttqa_build.summary import email, template
from rttqa_build.summary.specimen import specimens

if TYPE_CHECKING:
    from collections.abc import Iterator

TRIALS = shipped("trials")
EXAMPLES = sorted(TRIALS.glob("*/examples/*/*.yaml"))
UNOFFICIAL = sorted(path.name for path in TRIALS.iterdir() if not path.name.startswith("example-"))
LIBRARY = Library()
# numbers that the facts give from memory: none may stand in a shipped definition
REMEMBERED = ("34.5", "dose_gy: 47", "dose_gy: 64", "dose_gy: 70", "dose_gy: 54", "fractions: 15")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parts[-4]}/{path.parts[-2]}/{path.stem}")
def test_examples(path: Path) -> None:
    """Nothing is found in a valid one, exactly the lines of the file beside it in an invalid one."""
    found = [said(one) for one in behaviour(LIBRARY, path.read_bytes(), path.name)]
    beside = path.with_suffix(".expected")
    assert (path.parent.name == "invalid") == beside.is_file() == bool(found)
    assert found == (beside.read_text("utf-8").splitlines() if beside.is_file() else [])


def test_the_shipped_library_is_clean() -> None:
    found = lint(TRIALS.parent)
    assert found.diagnostics == ()
    assert found.trials == LIBRARY.ids()


@pytest.mark.parametrize("name", UNOFFICIAL)
def test_unofficial_definitions_say_where_from_and_ship_nothing_remembered(name: str) -> None:
    trial = LIBRARY.trial(name).trial
    assert trial is not None
    assert trial.status == "unofficial"
    assert trial.full_name
    assert trial.sources
    assert trial.unknown
    assert trial.constraints == ()
    assert trial.tolerances == {}
    text = (TRIALS / name / "trial.yaml").read_text("utf-8")
    assert [number for number in REMEMBERED if number in text] == []


def test_every_conditional_shape_occurs() -> None:
    trials = [one for one in (LIBRARY.trial(name).trial for name in UNOFFICIAL) if one is not None]
    fields = {name for one in trials for rule in one.reviews for name in rule.when.fields}
    assert fields == {"arm", "centre_patient_number", "clinician_approved"}
    assert any("stratum" in rule.when.fields for one in trials for rule in one.prescriptions)
    assert any(one.strata for one in trials)
    assert any(rule.library and rule.minimum == 3 for one in trials for rule in one.objects)
    assert any(rule.kinds == ("ion",) for one in trials for rule in one.objects)
    assert any(one.one_of for one in trials)
    assert any(not one.structures_complete for one in trials)


def test_one_trial_is_read_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def head(path: Path, size: int, what: str) -> bytes:
        read.append(path.as_posix())
        return original(path, size, what)

    original = disk.head
    monkeypatch.setattr(disk, "head", head)
    assert Library().trial("plato").trial is not None
    names = {path.parent.name for path in map(Path, read) if path.name == "trial.yaml"}
    assert names == {"plato"}
    assert not [path for path in read if "raider" in path]


# --- what `trials check` finds -----------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    curation.begin(tmp_path, "ours")
    return tmp_path


def change(root: Path, name: str, old: str, new: str) -> None:
    path = root / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8", newline="\n")


def places(root: Path) -> Iterator[tuple[str, str]]:
    for one in lint(root).diagnostics:
        assert one.message
        assert one.hint
        assert not one.local
        yield one.code, str(one.where)


DEFINITION, SCHEMA = "trials/ours/trial.yaml", "schemas/ours.schema.json"
VALID, INVALID = (f"trials/ours/examples/{kind}" for kind in ("valid", "invalid"))
PURPOSE_ENUM = '"purpose": { "enum": ["planning-benchmark", "prospective-review", "data-collection"] }'


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (SCHEMA, "", "", []),
        # schema and definition
        (SCHEMA, '"const": "ours"', '"const": "hours"', [("M331", f"{SCHEMA}:9:25")]),
        (SCHEMA, '["standard", "experimental"]', '["standard", "experimental", "third"]', [("M331", 14)]),
        (SCHEMA, '"arm": { "enum": ["standard", "experimental"] },', "", [("M331", 11)]),
        (SCHEMA, f"{PURPOSE_ENUM},", "", [("M331", 11)]),
        (SCHEMA, '"data-collection"] } }\n', '"data-colection"] } }\n', [("M331", 33)]),
        (SCHEMA, '["prescription", "clinical"]', '["prescription"], "minProperties": 1', []),
        (
            SCHEMA,
            '"submission": { "required": ["arm"] } }',
            '"documents": { "required": ["plan_asessment_form"] } }',
            [("M331", 39)],
        ),
        (SCHEMA, '"stratum": false', '"stratum": { "enum": ["a"] }', [("M331", 15)]),
        (SCHEMA, '"title": "History",', "", [("M337", 51)]),
        (SCHEMA, '"$ref": "manifest', '"$ref" "manifest', [("M315", f"{SCHEMA}:6:10")]),
        (SCHEMA, '"pattern": "^O-', '"pattern": "^(O-', [("M315", SCHEMA)]),
        (DEFINITION, "status: example", "status: unofficial", []),
        (DEFINITION, "status: example", "status: confirmed", [("M336", f"{DEFINITION}:7:9")]),
        (
            DEFINITION,
            "status: example\nsources:\n  - invented; name here each document, with version and page\n",
            "status: unofficial\n",
            [("M335", f"{DEFINITION}:7:9")],
        ),
        # the definition alone
        (DEFINITION, "mandatory: 45}", "mandatory: 49}", [("M325", f"{DEFINITION}:43:66")]),
        (DEFINITION, "{min: 55, max: 60}", "{min: 60, max: 55}", [("M221", 48)]),
        (DEFINITION, "required: true, maximum: 1}", "minimum: 2, maximum: 1}", [("M325", 19)]),
        (DEFINITION, "arms:", "retain: [patient_characteristics]\narms:", [("M326", 14)]),
        (DEFINITION, "arms:", "dates: remove\nretain: [safe_private]\narms:", [("M326", 15)]),
        (DEFINITION, "arms:", "one_of: [{roles: [plan, dosis]}]\narms:", [("M321", 14)]),
        (DEFINITION, "arms:", "reviews: {dummy-run: {when: {arm: standard}}}\narms:", [("M321", 14)]),
        (DEFINITION, "aliases: [spinal canal", "aliases: [PTV high dose", [("M322", 38)]),
        (DEFINITION, "SpinalCanal:", "SpinalCanalMuchTooLong:", [("M105", 38)]),
        (DEFINITION, "D95%[Gy]", "D95[Gy]", [("M323", 43)]),
        # examples
        (f"{VALID}/data-collection.yaml", "arm: experimental", "arm: experiment", [("M334", 4)]),
        (f"{VALID}/data-collection.yaml", "trial: ours", "trial: example-phantom", [("M334", 3)]),
        (f"{VALID}/data-collection.yaml", "No previous", "943 476 5919. No previous", [("M334", 9)]),
        (f"{INVALID}/incomplete.expected", "2:1 M209\n", "", [("M334", f"{INVALID}/incomplete.yaml:2:1")]),
        (
            f"{INVALID}/incomplete.expected",
            "2:1 M209",
            "2:1 M209\n3:1 M201",
            [("M334", f"{INVALID}/incomplete.expected:2:1")],
        ),
    ],
)
def test_what_is_found(
    root: Path, file: str, old: str, new: str, expected: list[tuple[str, str | int]]
) -> None:
    change(root, file, old, new)
    found = list(places(root))
    for code, place in expected:
        wanted = f"{file}:{place}:" if isinstance(place, int) else place
        assert [one for one in found if one[0] == code and one[1].startswith(wanted)], found
    assert bool(found) == bool(expected), found


def test_reviews_need_fields_that_the_schema_takes(root: Path) -> None:
    change(root, DEFINITION, "arms:", "reviews: {data-collection: {when: {centre_patient_number: 1}}}\narms:")
    assert ("M331", f"{SCHEMA}:16:34") in list(places(root))


def test_files_that_are_missing_or_belong_nowhere(root: Path) -> None:
    (root / VALID / "data-collection.yaml").unlink()
    (root / INVALID / "incomplete.expected").rename(root / INVALID / "incomplet.expected")
    (root / "schemas/hours.schema.json").write_text("{}", "utf-8")
    (root / "trials/theirs").mkdir()
    assert list(places(root)) == [
        ("M338", "schemas/hours.schema.json"),
        ("M338", f"{INVALID}/incomplet.expected"),
        ("M333", f"{INVALID}/incomplete.expected"),
        ("M333", VALID),
        ("M312", "trials/theirs/trial.yaml"),
    ]
    (root / INVALID / "incomplet.expected").write_text("", "utf-8")
    (root / INVALID / "incomplet.expected").rename(root / INVALID / "incomplete.expected")
    assert ("M334", f"{INVALID}/incomplete.expected:1:1") in list(places(root))


def test_an_empty_library_and_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        lint(tmp_path)
    (tmp_path / "trials").mkdir()
    assert lint(tmp_path).trials == ()


def test_a_single_trial_is_checked_alone(root: Path) -> None:
    curation.begin(root, "theirs")
    change(root, "trials/theirs/trial.yaml", "V", "V")
    (root / "trials/theirs/examples/valid/data-collection.yaml").unlink()
    assert lint(root / "trials/ours").diagnostics == ()
    assert [one.code for one in lint(root / "trials/theirs").diagnostics] == ["M333"]


# --- templates ---------------------------------------------------------------------------------------------

MAIL = "Subject: {{ trial.title }}\n\nBody\n"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("email.txt.j2", MAIL, ""),
        ("email.txt.j2", template.shipped("email.txt.j2"), ""),
        ("summary.typ.j2", template.shipped("summary.typ.j2"), ""),
        ("recall.txt.j2", template.shipped("recall.txt.j2"), ""),
        (
            "recall.txt.j2",
            MAIL.replace("Body", "{{ nobody }}"),
            "K201 trials/ours/templates/recall.txt.j2:3:1",
        ),
        ("summary.typ.j2", "#set document(title: {{ trial.title }})\n= #{{ trial.title }}\n", ""),
        ("emial.txt.j2", MAIL, "M332 trials/ours/templates/emial.txt.j2"),
        ("email.txt.j2", "Subject: x\n\n{{ trail.title }}\n", "K201 trials/ours/templates/email.txt.j2:3:1"),
        ("email.txt.j2", "no subject\n", "K204 trials/ours/templates/email.txt.j2"),
        ("email.txt.j2", "Subject: {{ 1 +\n", "K201 trials/ours/templates/email.txt.j2:1:1"),
        (
            "summary.typ.j2",
            '#set document(title: "x")\n#{{ plans[0].label }}',
            "K201 trials/ours/templates/summary.typ.j2:2:1",
        ),
        ("summary.typ.j2", "#unknown-function()\n", "K202 trials/ours/templates/summary.typ.j2"),
        ("summary.typ.j2", '#import "@preview/x:1.0.0"\n', "K203 trials/ours/templates/summary.typ.j2"),
    ],
)
def test_templates(root: Path, name: str, text: str, expected: str) -> None:
    (root / "trials/ours/templates").mkdir()
    (root / "trials/ours/templates" / name).write_text(text, "utf-8", newline="\n")
    found = {f"{code} {place}" for code, place in places(root)}
    assert found == ({expected} if expected else set())


def test_a_template_that_only_works_with_everything_said_is_found(root: Path) -> None:
    trial = Library(root).trial("ours").trial
    assert trial is not None
    rich, bare = specimens(trial)
    text = b"Subject: {{ contents[0].what }}\n\nBody\n"
    assert isinstance(email.render(rich, {"email.txt.j2": text}), email.EmailText)
    assert not isinstance(email.render(bare, {"email.txt.j2": text}), email.EmailText)


# --- `trials new` ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a", "our-lung", "x2-y", "q" * 32])
def test_a_definition_begins_clean(tmp_path: Path, name: str) -> None:
    written = curation.begin(tmp_path, name)
    assert sorted(written) == sorted(
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    )
    assert lint(tmp_path).diagnostics == ()
    assert lint(tmp_path).trials == (name,)
    assert not any("@" in line for line in (tmp_path / written[1]).read_text("utf-8").splitlines())


@pytest.mark.parametrize("name", ["", "Ours", "../x", "2024", "check", "new", "manifest", "plato", "q" * 33])
def test_ids_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        curation.begin(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(root: Path) -> None:
    with pytest.raises(UsageError, match="already"):
        curation.begin(root, "ours")
    (root / "schemas/theirs.schema.json").write_text("{}", "utf-8")
    with pytest.raises(UsageError, match="there already"):
        curation.begin(root, "theirs")
    assert not (root / "trials/theirs").exists()


def test_scaffolded_schema_is_json(root: Path) -> None:
    assert json.loads((root / SCHEMA).read_text("utf-8"))["properties"]["trial"] == {"const": "ours"}


def test_many_manifests_of_many_trials_are_quick() -> None:
    """The bar is 3 s for 500; here is a fifth of that, with room for a busy computer."""
    texts = [path.read_bytes() for path in EXAMPLES if path.parent.name == "valid"]
    library, start = Library(), time.perf_counter()
    for n in range(100):
        library.read_manifest(texts[n % len(texts)], "m")
    assert time.perf_counter() - start < 3


def test_a_copied_library_reads_alike(tmp_path: Path) -> None:
    """Outside the tool a shipped id is refused, and a copy under another id works as it is."""
    shutil.copytree(TRIALS / "plato", tmp_path / "trials/plato")
    (tmp_path / "schemas").mkdir()
    shutil.copy(shipped("schemas") / "plato.schema.json", tmp_path / "schemas")
    assert [one.code for one in lint(tmp_path).diagnostics] == ["M313"]
