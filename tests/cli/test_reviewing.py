"""``review``: the Markdown that a merge request's reviewer reads."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from cli_centre import MANIFEST, NAME

if TYPE_CHECKING:
    from cli_centre import Centre

WAIVER = 'waivers:\n  - {code: D204, for: dose, reason: "4 mm grid | <b>agreed</b> with @all"}\n'


def test_nothing_changes(centre: Centre) -> None:
    ran = centre.call("review")
    assert (ran.code, "No submission changes against `main`." in ran.out) == (0, True)


def test_a_branch_with_a_new_and_a_changed_submission(packed: Centre) -> None:
    packed.git("switch", "-q", "-c", "work")
    packed.write(MANIFEST.replace("purpose: dummy-run", "purpose: data-collection") + WAIVER)
    other = packed.submission.with_name("OTHER-1")
    other.mkdir()
    (other / "manifest.yaml").write_text(MANIFEST.replace(f"patient: {NAME}", "patient: OTHER-1"), "utf-8")
    packed.commit()
    ran = packed.call("review")
    assert ran.code == 0
    text = ran.out
    assert "Against `main`: 1 new, 1 changed; 0 ready, 2 blocked." in text
    assert f"- **{NAME}** waives D204 for dose: 4 mm grid \\| \\<b\\>agreed\\</b\\> with \\@all" in text
    assert text.index("Look at this first") < text.index(f"### {NAME}: changed, blocked")
    assert "- manifest, submission.purpose: dummy-run → data-collection" in text
    assert "### OTHER-1: new, blocked" in text
    assert "- it is not built yet" in text
    assert "M401" in text  # the lock is stale
    # from the branch's own start: what main got in the meantime is not the branch's change
    assert packed.call("review", "work").out.startswith("## Submissions\n\nNo submission changes")


def test_a_first_lock_and_a_removed_submission(centre: Centre) -> None:
    centre.git("switch", "-q", "-c", "work")
    assert centre.call("build").code == 0
    built = centre.call("review").out
    assert f"### {NAME}: changed, ready" in built
    assert "- plan: 1 object" in built
    shutil.rmtree(centre.submission)
    text = centre.call("review").out
    assert f"### {NAME}: removed" in text
    assert "Look at this first" not in text


@pytest.mark.parametrize("text", ["", "a:\n\tb: 1\n", "just words\n", "- a list\n"])
def test_a_manifest_that_cannot_be_read_any_more(text: str, centre: Centre) -> None:
    good = centre.manifest.read_text("utf-8")
    centre.commit()
    centre.write(text)
    ran = centre.call("review", "HEAD")
    assert (ran.code, ran.err) == (0, "")
    assert "the manifest cannot be read: what changed in it is not told" in ran.out
    centre.commit()
    centre.write(good)
    assert "the manifest could not be read before" in centre.call("review", "HEAD").out


def test_a_receipt_that_goes_is_told_first(received: Centre) -> None:
    """Whether the folder is deleted or gets another name."""
    sent = received
    sent.commit()
    sent.git("switch", "-q", "-c", "work")
    receipt = (sent.submission / "receipt.yaml").read_bytes()
    (sent.submission / "receipt.yaml").unlink()
    assert f"- **{NAME}** loses its receipt: revision 1 was received" in sent.call("review").out
    (sent.submission / "receipt.yaml").write_bytes(receipt)
    sent.submission.rename(sent.submission.with_name("OTHER"))
    text = sent.call("review").out
    assert (
        "Look at this first\n\n- **PHANTOM-1** is removed with its receipt: revision 1 was received" in text
    )
    assert "### OTHER: new" in text


def test_settings_that_could_not_be_used_before(centre: Centre) -> None:
    settings = centre.root / "rttqa.yaml"
    centre.edit("settings: 1", "settings: 1\nfoo: 2", settings)
    centre.commit()
    centre.git("switch", "-q", "-c", "work")
    centre.edit("\nfoo: 2", "", settings)
    ran = centre.call("review")
    assert ran.code == 0
    assert "- **rttqa.yaml**: it could not be used before: read all of it" in ran.out
    assert "No submission changes" in ran.out


def test_what_identifies_is_not_repeated(centre: Centre) -> None:
    centre.write(MANIFEST + 'waivers:\n  - {code: D204, reason: "NHS number 943 476 5919"}\n')
    text = centre.call("review").out
    assert "943" not in text
    assert "left out: it seems to identify somebody" in text


def test_settings_that_loosen_come_first(centre: Centre) -> None:
    settings = centre.root / "rttqa.yaml"
    centre.edit("portal:", "gate: {approvals: 2}\nportal:", settings)
    centre.commit()
    centre.git("switch", "-q", "-c", "work")
    centre.edit("gate: {approvals: 2}\n", "", settings)
    assert "- **rttqa.yaml**: approvals wanted: 2 before, 1 now" in centre.call("review").out


@pytest.mark.parametrize("base", ["nowhere", "--help-me"])
def test_an_unknown_base(base: str, centre: Centre) -> None:
    ran = centre.call("review", "--", base)
    assert (ran.code, f"there is no branch or commit {base}" in ran.err) == (2, True)
