"""``fmt`` and ``schema``: what a person sees who writes manifests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema
import pytest
from cli_centre import MANIFEST, NAME

if TYPE_CHECKING:
    from cli_centre import Centre

UNTIDY = f"""\
trial:   example-phantom   # the trial
manifest: 1
source: {NAME}
submission:
    revision: 1
    # the registration's number
    patient: {NAME}
    purpose: dummy-run
"""
TIDY = f"""\
manifest: 1
trial: example-phantom  # the trial
submission:
  # the registration's number
  patient: {NAME}
  purpose: dummy-run
  revision: 1
source: {NAME}
"""


def test_a_manifest_is_put_in_order_once(centre: Centre) -> None:
    centre.write(UNTIDY)
    wanted = centre.call("fmt", "--check")
    assert (wanted.code, "not in the house style" in wanted.out) == (1, True)
    assert centre.manifest.read_text("utf-8") == UNTIDY
    assert centre.call("fmt").code == 0
    assert centre.manifest.read_text("utf-8") == TIDY
    again = centre.call("fmt", NAME)
    assert (again.code, again.out) == (0, "1 manifest is in the house style already\n")
    checked = centre.call("fmt", "--check")
    assert (checked.code, checked.out) == (0, again.out)


def test_the_content_is_the_same_for_the_lock(packed: Centre) -> None:
    packed.write(MANIFEST.replace("purpose: dummy-run", "purpose:    dummy-run   # why"))
    assert packed.call("fmt").code == 0
    assert packed.call("check").code == 0  # the lock is not stale


@pytest.mark.parametrize("text", ["manifest: 1\nmanifest: 1\n", "a: [", "", "a: &x 1\n"])
def test_what_cannot_be_read_stays_as_it_is(text: str, centre: Centre) -> None:
    centre.write(text)
    ran = centre.call("fmt")
    assert (ran.code, "[M0" in ran.out) == (1, True)
    assert centre.manifest.read_text("utf-8") == text


def test_a_draft_is_in_the_house_style(centre: Centre) -> None:
    centre.manifest.unlink()
    assert centre.call("new", "--trial", "example-phantom", "--patient", NAME, centre.export).code == 0
    drafted = centre.manifest.read_text("utf-8")
    assert centre.call("fmt").code == 0
    assert centre.manifest.read_text("utf-8") == drafted


def test_a_schema_stands_alone(centre: Centre) -> None:
    ran = centre.call("schema", "example-prostate")
    contents = json.loads(ran.out)
    jsonschema.Draft202012Validator.check_schema(contents)
    assert not [text for text in ran.out.split('"') if text.endswith(".json#") or text.startswith("http://")]
    unknown = centre.call("schema", "example-prostat")
    assert (unknown.code, "did you mean 'example-prostate'?" in unknown.err) == (2, True)
