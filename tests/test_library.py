"""The library of trials: examples, overriding, acceptance, digests, bundled schemas."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import jsonschema
import pytest

from rttqa_build.diagnostic import Location
from rttqa_build.library import Library, SchemaError, shipped
from rttqa_build.manifest import DocumentEntry, Manifest, SamePatient
from rttqa_build.trial import Acceptance, definition, structure_called

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TRIALS = shipped("trials")
VALID = sorted(TRIALS.glob("*/examples/valid/*.yaml"))
INVALID = sorted(TRIALS.glob("*/examples/invalid/*.yaml"))
LIBRARY = Library()
SMALLEST = b"manifest: 1\ntrial: ours\nsubmission: {patient: P, purpose: dummy-run, revision: 1}\nsource: x\n"


def named(path: Path) -> str:
    return f"{path.parts[-4]}/{path.name}"


@pytest.mark.parametrize("path", VALID, ids=named)
def test_valid_examples(path: Path) -> None:
    reading = LIBRARY.read_manifest(path.read_bytes(), path.name)
    assert reading.diagnostics == ()
    assert reading.manifest is not None
    assert reading.trial is not None


@pytest.mark.parametrize("path", INVALID, ids=named)
def test_invalid_examples(path: Path) -> None:
    """Each line of the file beside it is ``line:column code``."""
    found = LIBRARY.read_manifest(path.read_bytes(), path.name).diagnostics
    said = [f"{d.where.line}:{d.where.column} {d.code}" for d in found]
    assert said == path.with_suffix(".expected").read_text("utf-8").split("\n")[:-1]


def test_every_shipped_trial_is_sound_and_has_examples() -> None:
    assert {"example-phantom", "example-prostate"} < set(LIBRARY.ids())
    for found in LIBRARY.trials():
        assert found.diagnostics == ()
        assert found.trial is not None
        assert found.trial.status == ("example" if "example" in found.trial.id else "unofficial")
        assert (
            {path.parts[-4] for path in VALID} == set(LIBRARY.ids()) == {path.parts[-4] for path in INVALID}
        )


def test_shipped_schemas_are_valid_json_schema() -> None:
    for path in shipped("schemas").glob("*.json"):
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text("utf-8")))


def documented(schema: dict[str, object], place: str) -> list[str]:
    """Return the places of fields without title or description."""
    missing = []
    for key, inner in schema.items():
        if key in {"if", "then", "else", "allOf"}:
            continue
        if key == "properties" and isinstance(inner, dict):
            for name, part in inner.items():
                if "$ref" not in part and not {"title", "description"} <= part.keys():
                    missing.append(f"{place}.{name}")
        if isinstance(inner, dict):
            missing += documented(inner, f"{place}.{key}")
    return missing


def test_every_manifest_field_has_hover_help() -> None:
    text = (shipped("schemas") / "manifest.schema.json").read_text("utf-8")
    assert documented(json.loads(text), "") == []


def test_bundled_schema_stands_alone() -> None:
    schema = LIBRARY.bundled_schema("example-prostate")
    assert '"$ref": "manifest.schema.json' not in json.dumps(schema, default=str)
    example = TRIALS / "example-prostate/examples/valid/prospective-review.yaml"
    reading = LIBRARY.read_manifest(example.read_bytes(), "m")
    assert reading.document is not None
    plain = json.loads(json.dumps(reading.document.data, default=float))
    validator = jsonschema.Draft202012Validator(json.loads(LIBRARY.bundled_text("example-prostate")))
    assert list(validator.iter_errors(plain)) == []
    assert list(validator.iter_errors({**plain, "dosis": 1})) != []


def test_manifest_holds_what_is_written() -> None:
    example = TRIALS / "example-prostate/examples/valid/prospective-review.yaml"
    manifest = LIBRARY.read_manifest(example.read_bytes(), "m").manifest
    assert isinstance(manifest, Manifest)
    assert manifest.submission.subject == "EP-0123"
    assert [s.id for s in manifest.data["plan"]] == ["phase1", "phase2"]
    assert manifest.data["dose"][0].of == ("phase1", "phase2")
    assert manifest.data["diagnostic_mr"][0].same_patient == SamePatient(
        "physicist 2", "name and date of birth on both"
    )
    assert manifest.documents == {"plan_assessment_form": DocumentEntry("forms/PAF.xlsx")}
    assert manifest.structures["Kidney_L"].absent == "nephrectomy"
    assert str(manifest.prescription[0].dose_min) == "60"
    assert manifest.waivers[0].subject == "sum"


def test_text_stays_as_written_where_the_schema_wants_text() -> None:
    example = TRIALS / "example-prostate/examples/valid/standard-arm.yaml"
    manifest = LIBRARY.read_manifest(example.read_bytes(), "m").manifest
    assert manifest is not None
    assert manifest.protocol == "1.0"
    assert manifest.structures["PTV_7400"].name == "74"
    assert str(manifest.clinical["psa"]) == "8.4"


def test_unknown_trial() -> None:
    data = SMALLEST.replace(b"ours", b"exampel-prostate")
    reading = LIBRARY.read_manifest(data, "m.yaml")
    assert reading.trial is None
    assert [(d.code, str(d.where), d.hint) for d in reading.diagnostics] == [
        ("M311", "m.yaml:2:8", "did you mean 'example-prostate'?")
    ]
    assert LIBRARY.trial("../x").diagnostics[0].code == "M311"


@pytest.mark.parametrize(
    ("roi", "structure"),
    [
        ("BODY", "External"),
        ("prostate", "CTVp"),
        ("PTV 60 final", "PTV_6000"),
        ("PTV 46", "PTV_4600"),
        ("rectum", "Rectum"),
        ("bladder", "Bladder"),
        ("Fem Head L", "FemoralHead_L"),
        ("FEM_HEAD_R", "FemoralHead_R"),
        ("penile bulb", "PenileBulb"),
        ("bowel", "Bowel"),
        ("z_ring", None),
    ],
)
def test_usual_names_lead_to_structures(roi: str, structure: str | None) -> None:
    trial = LIBRARY.trial("example-prostate").trial
    assert trial is not None
    rule = structure_called(trial, roi)
    assert (rule.name if rule else None) == structure


def repository(tmp_path: Path, name: str, text: str | None = None, schema: str | None = None) -> Library:
    """Return a library with an own trial ``name``, made from the phantom's."""
    folder = tmp_path / "trials" / name
    folder.mkdir(parents=True)
    own = (
        (TRIALS / "example-phantom" / "trial.yaml")
        .read_text("utf-8")
        .replace("id: example-phantom", f"id: {name}")
    )
    (folder / "trial.yaml").write_text(text or own, "utf-8", newline="\n")
    (tmp_path / "schemas").mkdir()
    original = (
        (shipped("schemas") / "example-phantom.schema.json")
        .read_text("utf-8")
        .replace("example-phantom", name)
    )
    (tmp_path / "schemas" / f"{name}.schema.json").write_text(schema or original, "utf-8")
    return Library(tmp_path)


def own_text(name: str, **changes: str) -> str:
    text = (TRIALS / "example-phantom" / "trial.yaml").read_text("utf-8")
    text = text.replace("id: example-phantom", f"id: {name}")
    for old, new in changes.items():
        text = (
            text.replace(f"{old}: ", f"{new}: ", 1)
            if old != "status"
            else text.replace("status: example", new)
        )
    return text


def test_own_trial_beside_the_shipped_ones(tmp_path: Path) -> None:
    library = repository(tmp_path, "ours")
    assert library.ids() == tuple(sorted((*LIBRARY.ids(), "ours")))
    assert library.trial("ours").diagnostics == ()
    assert library.read_manifest(SMALLEST, "m").diagnostics == ()


def test_confirmed_counts_only_from_the_wheel(tmp_path: Path) -> None:
    library = repository(tmp_path, "ours", own_text("ours", status="status: confirmed"))
    trial = library.trial("ours").trial
    assert trial is not None
    assert trial.status == "unofficial"
    where = Location("m.yaml", 2, 8)
    assert [d.code for d in definition.acceptance(trial, (), where)] == ["M314"]
    accepted = Acceptance("ours", trial.digest, "RT physics", "guidance 2", "2026-01-01")
    assert definition.acceptance(trial, (accepted,)) == ()
    stale = Acceptance("ours", "0" * 64, "RT physics", "guidance 2", "2026-01-01")
    assert "changed after" in definition.acceptance(trial, (stale,))[0].message


def test_example_trials_need_no_acceptance() -> None:
    trial = LIBRARY.trial("example-phantom").trial
    assert trial is not None
    assert definition.acceptance(trial, ()) == ()


def test_shipped_id_is_overridden_only_by_digest(tmp_path: Path) -> None:
    library = repository(tmp_path, "example-phantom")
    found = library.trial("example-phantom")
    assert found.trial is None
    assert [d.code for d in found.diagnostics] == ["M313"]
    original = LIBRARY.trial("example-phantom").trial
    assert original is not None
    assert original.digest in found.diagnostics[0].hint
    path = tmp_path / "trials/example-phantom/trial.yaml"
    text = path.read_text("utf-8")
    path.write_text(f"{text}replaces: {original.digest}\n", "utf-8")
    assert Library(tmp_path).trial("example-phantom").trial is not None
    path.write_text(f"{text}replaces: {'0' * 64}\n", "utf-8")
    assert [d.code for d in Library(tmp_path).trial("example-phantom").diagnostics] == ["M313"]


def test_shipped_schemas_cannot_be_shadowed(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    for name in ("manifest", "example-prostate", "trial"):
        (tmp_path / "schemas" / f"{name}.schema.json").write_text("{}", "utf-8")
    mine, original = (
        Library(tmp_path).trial("example-prostate").trial,
        LIBRARY.trial("example-prostate").trial,
    )
    assert mine is not None
    assert original is not None
    assert mine.digest == original.digest


@pytest.mark.parametrize(
    "schema",
    [
        "not json",
        "[]",
        '{"type": 5}',
        '{"$ref": "nowhere.schema.json"}',
        '{"$ref": "#/$defs/nowhere"}',
        '{"properties": {"source": {"pattern": "["}}}',
        "[" * 100_000,
    ],
)
def test_unusable_schemas(tmp_path: Path, schema: str) -> None:
    found = repository(tmp_path, "ours", schema=schema).trial("ours")
    assert found.trial is None
    assert [d.code for d in found.diagnostics] == ["M315"]


def test_missing_schema(tmp_path: Path) -> None:
    library = repository(tmp_path, "ours")
    (tmp_path / "schemas/ours.schema.json").unlink()
    assert [d.code for d in library.trial("ours").diagnostics] == ["M315"]
    with pytest.raises(SchemaError):
        library.bundled_schema("ours")


def test_folder_and_id_must_agree(tmp_path: Path) -> None:
    found = repository(tmp_path, "ours", own_text("others")).trial("ours")
    assert [d.code for d in found.diagnostics] == ["M312"]


def test_digest_covers_definition_schema_and_templates_but_not_their_form(tmp_path: Path) -> None:
    digests = {}
    changes: dict[str, Callable[[Path], None]] = {
        "same": lambda _: None,
        "comments": lambda root: rewrite(root / "trials/ours/trial.yaml", lambda t: f"# more\r\n{t}"),
        "definition": lambda root: rewrite(
            root / "trials/ours/trial.yaml", lambda t: t.replace("keep", "drop")
        ),
        "schema": lambda root: rewrite(
            root / "schemas/ours.schema.json", lambda t: t.replace("2000", "2001")
        ),
        "template": lambda root: write_template(root, b"a\n"),
        "template again": lambda root: write_template(root, b"a\r\n"),
    }
    for name, change in changes.items():
        root = tmp_path / name
        repository(root, "ours")
        change(root)
        trial = Library(root).trial("ours").trial
        assert trial is not None
        digests[name] = trial.digest
    assert digests["same"] == digests["comments"]
    assert digests["template"] == digests["template again"]
    assert len(set(digests.values())) == 4


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text("utf-8")), "utf-8", newline="")


def write_template(root: Path, text: bytes) -> None:
    folder = root / "trials/ours/templates"
    folder.mkdir()
    (folder / "email.txt.j2").write_bytes(text)


def test_a_misspelt_template_is_found_by_every_check(tmp_path: Path) -> None:
    library = repository(tmp_path, "ours")
    write_template(tmp_path, b"Subject: x\n\ny\n")
    (tmp_path / "trials/ours/templates/emial.txt.j2").write_bytes(b"Subject: x\n\ny\n")
    found = library.read_manifest(b"manifest: 1\ntrial: ours\n", "m").diagnostics
    (told,) = [one for one in found if one.code == "M332"]
    assert told.where.file == "trials/ours/templates/emial.txt.j2"
    assert "email.txt.j2" in told.hint
    assert told.fatal


def test_clinical_file_is_held_to_the_same_rules() -> None:
    example = TRIALS / "example-prostate/examples/valid/two-phases.yaml"
    manifest = LIBRARY.read_manifest(example.read_bytes(), "m").manifest
    assert manifest is not None
    assert manifest.clinical_file == "clinical.yaml"
    clinical, findings = LIBRARY.read_clinical(
        b"history: Nothing of note.\npsa: 4\n", "clinical.yaml", manifest
    )
    assert (clinical, findings) == ({"history": "Nothing of note.", "psa": 4}, ())
    clinical, findings = LIBRARY.read_clinical(b"histry: TODO\npsa: high\n", "clinical.yaml", manifest)
    assert clinical == {}
    assert [(str(d.where), d.code) for d in findings] == [
        ("clinical.yaml:1:1", "M101"),
        ("clinical.yaml:1:1", "M102"),
        ("clinical.yaml:1:9", "M201"),
        ("clinical.yaml:2:6", "M103"),
    ]
    assert LIBRARY.read_clinical(b"\xff", "clinical.yaml", manifest)[1][0].code == "M002"


def test_wheel_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an installed package the folders lie inside it."""
    package = tmp_path / "rttqa_build"
    shutil.copytree(shipped("schemas"), package / "schemas")
    monkeypatch.setattr("rttqa_build.library.__file__", str(package / "library.py"))
    assert shipped("schemas") == package / "schemas"
    assert shipped("trials") == tmp_path / "trials"
