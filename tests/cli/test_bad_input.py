"""What a user may hand the program by mistake: each gives a place, a hint and the contract's exit code.

That no run shows a traceback or an identity is held by ``cli_centre.examined``.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cli_centre import MANIFEST, NAME, snapshot

from rttqa_build import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli_centre import Centre, Ran

HUGE = b"# " + b"x" * (1 << 20) + b"\n" + MANIFEST.encode()
WHERE = f"submissions/{NAME}/manifest.yaml"


def codes(ran: Ran) -> list[str]:
    return re.findall(r"(?:error|warning)\[([A-Z]\d{3})\]", ran.told)


@pytest.mark.parametrize(
    ("manifest", "place", "hint"),
    [
        (b"", "", "hint: "),
        (b"\n# nothing\n", "", "hint: "),
        (HUGE, "", "1 MiB"),
        (bytes(range(256)) * 4, "", "UTF-8"),
        (MANIFEST.encode("utf-16"), "", "Save as, Encoding, UTF-8"),
        (MANIFEST.encode("utf-16-le"), "", "Save as, Encoding, UTF-8"),
        (MANIFEST.encode("utf-16-be"), "", "Save as, Encoding, UTF-8"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "", "UTF-8"),
        (b"a: " + b"[" * 100_000, ":1:", "50"),
        (b"- " * 3000 + b"x", ":1:", "50"),
        (MANIFEST.replace("purpose", "porpoise").encode(), ":5:3", "did you mean 'purpose'?"),
        (MANIFEST.replace("dummy-run", "dumy-run").encode(), ":5:12", "did you mean 'dummy-run'?"),
        (
            MANIFEST.replace("trial: example-phantom", "trial: example-fantom").encode(),
            ":2:8",
            "example-phantom",
        ),
        (f"{MANIFEST}source: twice\n".encode(), ":8:1", "hint: "),
        (f"{MANIFEST}clinical: &a {{history: *a}}\n".encode(), ":8:11", "hint: "),
        (f"{MANIFEST}clinical:\n\thistory: x\n".encode(), ":9:1", "tab"),
        (f"{MANIFEST}---\nmanifest: 1\n".encode(), ":8:1", "hint: "),
        (f"{MANIFEST}clinical: !!python/object:os.system {{}}\n".encode(), ":8:11", "hint: "),
        (b"- manifest\n", ":1:1", "hint: "),
        (b"just words\n", ":1:1", "hint: "),
        (MANIFEST.replace(f"source: {NAME}", "source: ../elsewhere").encode(), ":7:9", "hint: "),
        (MANIFEST.replace(f"source: {NAME}", "source: /etc").encode(), ":7:9", "hint: "),
        (MANIFEST.replace(f"source: {NAME}", "source: 'C:\\exports'").encode(), ":7:9", "hint: "),
        (f"{MANIFEST}documents: {{notes: {{path: ../../etc/passwd}}}}\n".encode(), ":8:27", "hint: "),
        (f"{MANIFEST}documents: {{notes: {{path: ./a.pdf}}}}\n".encode(), ":8:27", "'.' that leads nowhere"),
    ],
)
def test_manifests(manifest: bytes, place: str, hint: str, centre: Centre) -> None:
    centre.write(manifest)
    ran = centre.call("check")
    assert ran.code == 1
    assert f"{WHERE}{place}" in ran.out
    assert "hint: " in ran.out
    assert hint in ran.out
    assert max(map(len, ran.told.splitlines())) < 400
    assert "\ufffd" not in ran.told, "what is no text is not shown as such"
    assert ran.told.count("·") < 3
    built = centre.call("build")
    assert (built.code, codes(built), centre.packages) == (1, codes(ran), [])
    assert centre.call("status").code == 0
    assert centre.call("submit").code == 1


def test_a_manifest_that_is_a_folder(centre: Centre) -> None:
    centre.manifest.unlink()
    centre.manifest.mkdir()
    for ran in (centre.call("check", NAME), centre.call("check")):
        assert (ran.code, codes(ran)) == (1, ["M014"])
        assert "it is a folder" in ran.out
    assert centre.call("check", centre.manifest).code == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on Windows")
@pytest.mark.parametrize(
    ("verb", "place", "told", "code"),
    [
        ("check", "manifest.yaml", "[M014]", 1),
        ("check", "lock.yaml", "[M408]", 1),
        ("check", "receipt.yaml", "[M410]", 1),
        ("check", "../../mappings.yaml", "mappings.yaml", 0),
        ("check", "../../rttqa.yaml", "[M303]", 2),
        ("build", "../../../data/centre.key", "[A001]", 2),
        ("build", "../../../data/exports/clinical.yaml", "[R006]", 1),
        ("build", f"../../../data/exports/{NAME}/notes.txt", "[R005]", 1),
    ],
)
def test_a_pipe_is_never_waited_for(verb: str, place: str, told: str, code: int, centre: Centre) -> None:
    extra = {"clinical": "clinical: {file: clinical.yaml}", "notes": "documents: {notes: {path: notes.txt}}"}
    centre.write(MANIFEST + next((line + "\n" for word, line in extra.items() if word in place), ""))
    (centre.submission / place).unlink(missing_ok=True)
    os.mkfifo(centre.submission / place, 0o600)
    ran = centre.run(verb)
    assert ran.code == code, ran.told
    assert told in ran.told
    assert "a pipe, a socket or a device" in ran.told
    assert "hint: " in ran.told
    assert centre.packages == []


def _renamed(centre: Centre) -> None:
    centre.manifest.rename(centre.manifest.with_suffix(".yml"))


def _dead_link(centre: Centre) -> None:
    centre.manifest.unlink()
    centre.manifest.symlink_to("elsewhere.yaml")


def _capitals(centre: Centre) -> None:
    data = centre.manifest.read_bytes()
    centre.manifest.unlink()
    (centre.submission / "Manifest.YAML.txt").write_bytes(data)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("break_it", [_renamed, _dead_link, _capitals])
def test_a_manifest_of_another_name_is_not_passed_over(
    break_it: Callable[[Centre], None], centre: Centre
) -> None:
    break_it(centre)
    (centre.submission.parent / "notes").mkdir()
    for verb in (("check",), ("check", NAME), ("build",), ("submit",)):
        ran = centre.call(*verb)
        assert (ran.code, set(codes(ran))) == (1, {"M014"}), ran.told
        assert f"{WHERE}: error[M014]" in ran.told
    assert centre.call("status").code == 0


def _no_folder(centre: Centre) -> None:
    shutil.rmtree(centre.export)


def _empty_folder(centre: Centre) -> None:
    _no_folder(centre)
    centre.export.mkdir()


def _file(centre: Centre) -> None:
    _no_folder(centre)
    centre.export.write_text("not a folder", "utf-8")


def _link(centre: Centre) -> None:
    elsewhere = centre.export.rename(centre.data / "elsewhere")
    centre.export.symlink_to(elsewhere, target_is_directory=True)


def _in_git(centre: Centre) -> None:
    centre.export.parent.rename(centre.root / "exports")
    centre.edit("../data/exports", "exports", centre.root / "rttqa.yaml")


def _built_into_git(centre: Centre) -> None:
    centre.edit("build_dir: build", "build_dir: submissions/out", centre.root / "rttqa.yaml")


def _built_among_originals(centre: Centre) -> None:
    centre.edit("build_dir: build", "build_dir: ../data/exports", centre.root / "rttqa.yaml")


def _built_into_the_source(centre: Centre) -> None:
    centre.edit("build_dir: build", f"build_dir: ../data/exports/{NAME}/out", centre.root / "rttqa.yaml")


def _built_into_the_portal(centre: Centre) -> None:
    centre.edit("build_dir: build", "build_dir: ../data/portal", centre.root / "rttqa.yaml")


def _no_key(centre: Centre) -> None:
    (centre.data / "centre.key").unlink()


def _damaged_key(centre: Centre) -> None:
    key = centre.data / "centre.key"
    text = key.read_text("ascii")
    key.write_text(f"{text[:20]}{'1' if text[20] == '0' else '0'}{text[21:]}", "ascii")


def _binary_key(centre: Centre) -> None:
    (centre.data / "centre.key").write_bytes(bytes(range(256)))


def _open_key(centre: Centre) -> None:
    (centre.data / "centre.key").chmod(0o644)


def _key_in_git(centre: Centre) -> None:
    (centre.data / "centre.key").rename(centre.root / "centre.key")
    centre.edit("../data/centre.key", "centre.key", centre.root / "rttqa.yaml")


def _other_key(centre: Centre) -> None:
    settings = centre.root / "rttqa.yaml"
    pinned = re.search(r"key_fingerprint: (\w+)", settings.read_text("utf-8"))
    assert pinned is not None
    centre.edit(pinned[1], "0123456789abcdef", settings)


def _unset_variable(centre: Centre) -> None:
    centre.edit("../data/exports", "${RTTQA_DATA}", centre.root / "rttqa.yaml")


def _synced(centre: Centre) -> None:
    centre.edit("../data/exports", "../OneDrive - Trust/exports", centre.root / "rttqa.yaml")


def _no_settings(centre: Centre) -> None:
    (centre.root / "rttqa.yaml").unlink()


def _broken_settings(centre: Centre) -> None:
    centre.edit("data_root:", "dataroot:", centre.root / "rttqa.yaml")


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (_no_folder, "the source folder does not exist"),
        (_empty_folder, "the source folder is empty"),
        (_file, "not a folder"),
        (_link, "link"),
        (_in_git, "inside a Git repository"),
        (_built_into_git, "not ignored by Git"),
        (_built_among_originals, "the exports lie in one folder"),
        (_built_into_the_source, "the exports lie in one folder"),
        (_built_into_the_portal, "in the portal's folder"),
        (_no_key, "there is no key file"),
        (_damaged_key, "damaged"),
        (_binary_key, "key"),
        (_key_in_git, "inside a Git repository"),
        (_other_key, "fingerprint"),
        (_unset_variable, "RTTQA_DATA"),
        (_synced, "cloud"),
        (_no_settings, "rttqa-build init"),
        (_broken_settings, "did you mean 'data_root'?"),
        pytest.param(
            _open_key,
            "read by others",
            marks=pytest.mark.skipif(os.name == "nt", reason="Windows has no modes"),
        ),
    ],
)
def test_surroundings(break_it: Callable[[Centre], None], told: str, centre: Centre) -> None:
    break_it(centre)
    ran = centre.call("build")
    assert ran.code == 2
    assert told in ran.told
    assert "hint: " in ran.told
    assert centre.packages == []
    assert not (centre.submission / "lock.yaml").exists()
    if break_it in (_built_into_git, _built_among_originals, _built_into_the_source, _built_into_the_portal):
        assert not list(centre.root.parent.rglob(".running")), "nothing is made where nothing may be"


def test_findings_in_the_settings_show_their_line(centre: Centre) -> None:
    settings = centre.root / "rttqa.yaml"
    centre.edit("data_root:", "dataroot:", settings)
    number, line = next(
        (n, line)
        for n, line in enumerate(settings.read_text("utf-8").splitlines(), start=1)
        if line.startswith("dataroot:")
    )
    ran = centre.call("check")
    assert ran.code == 2
    assert f"  {number} | {line[:20]}" in ran.told
    assert f"\n  {' ' * len(str(number))} | ^\n" in ran.told


def test_a_line_of_the_settings_that_identifies_is_not_shown(centre: Centre) -> None:
    settings = centre.root / "rttqa.yaml"
    settings.write_text(settings.read_text("utf-8") + "note: NHS number 943 476 5919\n", "utf-8")
    ran = centre.call("check")
    assert ran.code == 2
    assert "rttqa.yaml:" in ran.told
    assert "943" not in ran.told


def test_a_line_of_the_settings_with_an_own_identifier_is_not_shown(centre: Centre) -> None:
    settings = centre.root / "rttqa.yaml"
    text = settings.read_text("utf-8").replace("settings: 1", "settings: 1\nnote: XQ-778899")
    settings.write_text(text + "identifiers:\n- {name: local, pattern: 'XQ-[0-9]{6}'}\n", "utf-8")
    ran = centre.call("check")
    assert ran.code == 2
    assert "rttqa.yaml:3:1" in ran.told
    assert "778899" not in ran.told


def test_a_link_in_the_settings_is_not_shown(centre: Centre) -> None:
    centre.edit(
        "data_root:", "lnk: https://cloud.example.org/s/SECRET\ndata_root:", centre.root / "rttqa.yaml"
    )
    ran = centre.call("check")
    assert ran.code == 2
    assert "rttqa.yaml:9:1" in ran.told
    assert "SECRET" not in ran.told


@pytest.mark.parametrize(
    "break_it", [_built_into_git, _built_among_originals, _built_into_the_source, _built_into_the_portal]
)
def test_submit_makes_nothing_where_nothing_may_be(
    break_it: Callable[[Centre], None], centre: Centre
) -> None:
    break_it(centre)
    centre.commit()
    ran = centre.call("submit")
    assert ran.code == 2
    assert "build_dir" in ran.told
    assert not list(centre.root.parent.rglob(".running"))


def test_who_only_builds_need_not_know_the_portal(centre: Centre) -> None:
    centre.edit("path: ../data/portal", "path: '${RTTQA_OUTBOX}'", centre.root / "rttqa.yaml")
    assert centre.call("build").code == 0


def _without(kind: str) -> Callable[[Centre], None]:
    def remove(centre: Centre) -> None:
        for path in centre.export.rglob(f"{kind}.*"):
            path.unlink()

    return remove


def _truncated(kind: str) -> Callable[[Centre], None]:
    def cut(centre: Centre) -> None:
        (path,) = centre.export.rglob(f"{kind}.*")
        path.write_bytes(path.read_bytes()[:-40])

    return cut


def _two_phases(centre: Centre) -> None:
    shutil.rmtree(centre.export)
    synthetic.write(centre.export, extent=synthetic.SMALL, variant="two-phase")


def _other_patient(centre: Centre) -> None:
    other = synthetic.Identity(name="OTHERWISE^Someone", birth_date="19600229", hospital_number="K112233")
    other = replace(other, nhs_number="9990000026", trial_office_number="RT-2026-00999")
    (path,) = centre.export.rglob("RP.*")
    path.unlink()
    patient = synthetic.build(identity=other, extent=synthetic.SMALL)
    synthetic.save(replace(patient, objects={"plan": patient.objects["plan"]}), centre.export)


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (_without("RP"), "R201"),
        (_without("CT"), "R203"),
        (_two_phases, "R101"),
        (_truncated("RP"), "A005"),
        (_truncated("RS"), "A005"),
        (_other_patient, "R301"),
    ],
)
def test_exports(break_it: Callable[[Centre], None], code: str, packed: Centre) -> None:
    before = snapshot(packed.submission)
    break_it(packed)
    ran = packed.call("build")
    assert ran.code == 1
    assert code in codes(ran)
    assert "no package was made; the lock is as it was" in ran.out
    assert ran.out.count("hint: ") >= len(codes(ran))
    assert snapshot(packed.submission) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes any bytes as a name")
def test_file_names_that_are_no_text(packed: Centre) -> None:
    before = snapshot(packed.submission)
    folder = os.fsencode(packed.export)
    (plan,) = packed.export.rglob("RP.*")
    for name, data in ((b"caf\xe9.txt", b"words"), (b"caf\xe9.dcm", plan.read_bytes()[:-40])):
        with open(os.path.join(folder, name), "wb") as file:  # noqa: PTH118, PTH123 - bytes are no Path
            file.write(data)
    ran = packed.call("build")
    assert (ran.code, codes(ran)) == (1, ["A005"])
    os.unlink(os.path.join(folder, b"caf\xe9.dcm"))  # noqa: PTH108, PTH118
    assert packed.call("build").code == 0
    assert "caf?.txt" in (packed.built / "report.html").read_text("utf-8")
    assert snapshot(packed.submission).keys() == before.keys()
    drafted = packed.call("new", "--trial", "example-phantom", "--patient", "PHANTOM-2", packed.export)
    assert drafted.code == 0


def test_no_git(centre: Centre) -> None:
    assert centre.call("build", PATH="/nowhere").code == 0
    assert centre.call("check", PATH="/nowhere").code == 0
    for arguments in (
        ("submit",),
        ("init", str(centre.data / "new")),
        ("demo", str(centre.data / "made")),
    ):
        ran = centre.call(*arguments, PATH="/nowhere")
        assert ran.code == 2, arguments
        assert "git was not found" in ran.err
        assert "hint: " in ran.err
    assert not {"new", "made", "made-data"} & {path.name for path in centre.data.iterdir()}


def test_outside_any_repository(centre: Centre) -> None:
    (centre.root / "rttqa.yaml").unlink()
    for arguments in (("check",), ("build",), ("status",), ("submit",), ("key", "new"), ("approve", "X")):
        ran = centre.call(*arguments)
        assert ran.code == 2, arguments
    for arguments in (("trials",), ("explain", "D204")):
        assert centre.call(*arguments).code == 0, arguments


def test_pseudonymised_objects_are_not_put_among_the_originals(centre: Centre) -> None:
    into = centre.export / "out"
    asked = ("--trial", "example-phantom", "--patient", NAME)
    ran = centre.call("pseudonymise", centre.export, into, *asked)
    assert (ran.code, "inside the source folder" in ran.err, into.exists()) == (2, True, False)
    assert centre.call("pseudonymise", centre.export, centre.data / "out", *asked).code == 0
    (centre.data / "none").mkdir()
    for name, told in (("none", "is empty"), ("gone", "no such export folder")):
        ran = centre.call("pseudonymise", centre.data / name, centre.data / "other", *asked)
        assert (ran.code, told in ran.err, "source:" in ran.err) == (2, True, False)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_folders_of_pseudonymise_are_demanded_in_its_own_words(jobs: str, centre: Centre) -> None:
    """It has no manifest whose `source:` could be corrected."""
    (centre.data / "hollow" / "sub").mkdir(parents=True)
    (centre.data / "linked").symlink_to(centre.export)
    (centre.data / "file").write_bytes(b"x")
    asked = ("--trial", "example-phantom", "--patient", NAME, "--jobs", jobs)
    told = {"hollow": "is empty", "linked": "symbolic link", "file": "a file, not a folder"}
    for name, words in told.items():
        ran = centre.call("pseudonymise", centre.data / name, centre.data / "out", *asked)
        assert (ran.code, words in ran.err, "source:" in ran.err) == (2, True, False), ran.err
    ran = centre.call("pseudonymise", centre.export, centre.data.anchor, *asked)
    assert (ran.code, "a whole drive" in ran.err) == (2, True), ran.err
    assert not (centre.data / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_the_output_folder_may_be_a_link(centre: Centre) -> None:
    (centre.data / "elsewhere").mkdir()
    (centre.data / "linked").symlink_to("elsewhere")
    asked = ("--trial", "example-phantom", "--patient", NAME)
    ran = centre.call("pseudonymise", centre.export, centre.data / "linked", *asked)
    assert (ran.code, any((centre.data / "elsewhere").iterdir())) == (0, True), ran.err


def test_what_could_not_be_built_is_not_said_to_be_clean(centre: Centre) -> None:
    centre.edit("../data/exports", "${RTTQA_DATA}", centre.root / "rttqa.yaml")
    ran = centre.call("build")
    assert (ran.code, ran.out) == (2, f"{NAME}: not built\n")
    assert "`export RTTQA_DATA=PATH`" in ran.err


def test_what_is_no_package(centre: Centre) -> None:
    path = centre.data / "x.zip"
    path.write_bytes(b"hello\n")
    ran = centre.call("verify", path)
    assert (ran.code, "error[K010]" in ran.out) == (1, True)
    assert [line for line in ran.out.splitlines() if line.startswith("  ") and "hint" not in line] == [
        "  sha256  5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
        "  6 bytes",
    ]
    for name, told in (("x.zap", "x.zap is not there"), ("exports", "exports is a folder")):
        ran = centre.call("verify", path, centre.data / name)
        assert (ran.code, ran.out, told in ran.err) == (2, "", True)


def test_a_manifest_elsewhere_is_not_taken_for_a_submission(centre: Centre) -> None:
    """What lies beside it is not searched, nor told: it may be anything, exports with names included."""
    (centre.data / "exports" / "manifest.yaml").write_text(MANIFEST, "utf-8")
    for verb in ("check", "build", "fmt"):
        ran = centre.call(verb, centre.data / "exports" / "manifest.yaml")
        assert (ran.code, ran.out) == (2, "")
        assert "manifest.yaml lies outside this repository" in ran.err
        ran = centre.call(verb, "rttqa.yaml")
        assert (ran.code, "rttqa.yaml is no manifest" in ran.err) == (2, True)
    (centre.data / "exports" / "manifest.yaml").rename(centre.root / "manifest.yaml")
    assert ".git" not in centre.call("check", "manifest.yaml").out


def test_a_submission_named_twice_is_looked_at_once(centre: Centre) -> None:
    assert centre.call("check", NAME, f"submissions/{NAME}", centre.manifest).out.count(f"{NAME}: ") == 1


def test_a_name_that_is_no_submission(centre: Centre) -> None:
    ran = centre.call("build", "PHANTOM-9")
    assert ran.code == 2
    assert "no submission PHANTOM-9" in ran.err
    assert "did you mean" in ran.err
