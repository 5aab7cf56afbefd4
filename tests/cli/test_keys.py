"""``key``: made once, copied for the safe, put back from it; never overwritten, shown only when asked."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from cli_centre import Centre

terminal = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")


def key_file(centre: Centre) -> Path:
    return centre.data / "centre.key"


def secret(centre: Centre) -> str:
    """Return the key's digits, which no run may show unasked."""
    return key_file(centre).read_text("ascii").split(":")[1]


def fingerprint(centre: Centre) -> str:
    found = re.search(r"key_fingerprint: ([0-9a-f]{16})", (centre.root / "rttqa.yaml").read_text("utf-8"))
    assert found
    return found[1]


def unpinned(centre: Centre) -> str:
    """Take the fingerprint out of the settings, and return it."""
    pinned = fingerprint(centre)
    centre.edit(f"key_fingerprint: {pinned}", "key_fingerprint: null", centre.root / "rttqa.yaml")
    return pinned


def lost(centre: Centre) -> Path:
    """Make the copy and lose the key; return the copy."""
    copy = centre.data / "copy.txt"
    assert centre.call("key", "backup", copy).code == 0
    key_file(centre).unlink()
    return copy


def test_the_copy_brings_the_key_back(centre: Centre) -> None:
    before = key_file(centre).read_bytes()
    copy = lost(centre)
    if os.name != "nt":
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert centre.call("build").code == 2
    ran = centre.call("key", "restore", copy)
    assert (ran.code, ran.err) == (0, "")
    assert key_file(centre).read_bytes() == before
    assert fingerprint(centre) in ran.out
    assert centre.call("key", "show").code == 0


def test_nothing_shows_the_key_unasked(centre: Centre) -> None:
    digits = secret(centre)
    runs = [
        centre.call("key", "show"),
        centre.call("key", "backup", centre.data / "a"),
        centre.call("key", "new"),
    ]
    lost(centre)
    runs += [
        centre.call("key", "restore", centre.data / "a"),
        centre.call("key", "restore", centre.data / "a"),
    ]
    for ran in runs:
        told = re.sub(r"\s", "", ran.told)
        assert not [at for at in range(0, 64, 8) if digits[at : at + 8] in told]


def test_without_a_terminal_the_key_is_neither_shown_nor_typed(centre: Centre) -> None:
    ran = centre.call("key", "backup", "--show")
    assert (ran.code, ran.out) == (2, "")
    key_file(centre).unlink()
    assert centre.call("key", "restore").code == 2


@pytest.mark.parametrize("arguments", [(), ("FILE", "--show")])
def test_one_place_for_the_copy(arguments: tuple[str, ...], centre: Centre) -> None:
    assert centre.call("key", "backup", *arguments).code == 2
    assert not (centre.root / "FILE").exists()


def test_the_copy_never_enters_git_nor_a_synced_folder_nor_replaces_a_file(centre: Centre) -> None:
    (centre.data / "taken.txt").write_text("mine", "utf-8")
    for place in (centre.root / "copy.txt", centre.data / "OneDrive" / "c.txt", centre.data / "taken.txt"):
        ran = centre.call("key", "backup", place)
        assert (ran.code, ran.out) == (2, ""), place
    assert (centre.data / "taken.txt").read_text("utf-8") == "mine"
    assert not (centre.root / "copy.txt").exists()
    assert not (centre.data / "OneDrive").exists()


def test_a_key_that_is_there_is_never_overwritten(centre: Centre) -> None:
    before = key_file(centre).read_bytes()
    copy = centre.data / "copy.txt"
    centre.call("key", "backup", copy)
    ran = centre.call("key", "restore", copy)
    assert ran.code == 2
    assert "never overwritten" in ran.err
    assert key_file(centre).read_bytes() == before


def test_another_key_than_the_pinned_one_is_not_restored(centre: Centre) -> None:
    copy = lost(centre)
    centre.edit(fingerprint(centre), "0123456789abcdef", centre.root / "rttqa.yaml")
    ran = centre.call("key", "restore", copy)
    assert ran.code == 2
    assert "[A001]" in ran.err
    assert not key_file(centre).exists()


@pytest.mark.parametrize(("how", "code"), [("bare", 2), ("wrong", 2), ("right", 0)])
def test_restoring_demands_the_fingerprint(how: str, code: int, centre: Centre) -> None:
    """A plain copy of the key file does not tell it: settings, page or person must."""
    line = key_file(centre).read_text("ascii")
    pinned = unpinned(centre)
    key_file(centre).unlink()
    (centre.data / "copy").write_text(line, "ascii")
    given = {"bare": (), "wrong": ("--fingerprint", "0" * 16), "right": ("--fingerprint", pinned.upper())}
    ran = centre.call("key", "restore", centre.data / "copy", *given[how])
    assert ran.code == code
    assert key_file(centre).exists() is (code == 0)
    if code == 0:
        assert fingerprint(centre) == pinned  # and it is pinned again


def test_files_that_an_editor_of_windows_saved(centre: Centre) -> None:
    """The copy has a mark before and other line ends; so has rttqa.yaml, and its line is still found."""
    line = key_file(centre).read_text("ascii").strip()
    pinned = unpinned(centre)
    settings = centre.root / "rttqa.yaml"
    settings.write_bytes(settings.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    key_file(centre).unlink()
    (centre.data / "copy").write_bytes(b"\xef\xbb\xbf" + line.encode() + b"\r\n")
    ran = centre.call("key", "restore", centre.data / "copy", "--fingerprint", pinned)
    assert (ran.code, ran.err) == (0, "")
    assert "add this line" not in ran.out
    assert fingerprint(centre) == pinned
    assert settings.read_bytes().count(b"\n") == settings.read_bytes().count(b"\r\n")


def test_a_misread_line_is_told_and_nothing_is_written(centre: Centre) -> None:
    copy = lost(centre)
    text = copy.read_text("utf-8")
    line = re.search(r"(?m)^3:  (....)", text)
    assert line
    copy.write_text(text.replace(line[0], "3:  " + ("ffff" if line[1] != "ffff" else "eeee")), "utf-8")
    ran = centre.call("key", "restore", copy)
    assert ran.code == 2
    assert "line 3" in ran.err
    assert not key_file(centre).exists()


@terminal
def test_the_page_is_shown_on_a_terminal_and_typed_in_again(centre: Centre) -> None:
    digits = secret(centre)
    _, page = centre.conversed([], "key", "backup", "--show")
    lines = re.findall(r"(?m)^\d:  (.*?)\r?$", page)
    assert "".join("".join(line.split()[:4]) for line in lines) == digits
    pinned = unpinned(centre)
    key_file(centre).unlink()
    slip = ("0" if lines[1][0] != "0" else "1") + lines[1][1:]
    again = zip(("Line 2: ", "Line 3: ", "Line 4: "), lines[1:], strict=True)
    rows = [("page: ", pinned), ("Line 1: ", lines[0]), ("Line 2: ", slip), *again]
    code, shown = centre.conversed(rows, "key", "restore")
    assert code == 0, shown
    assert secret(centre) == digits
    assert "does not fit the check of line 2" in shown
    assert not [line for line in lines if line in shown]
    assert fingerprint(centre) == pinned


def test_a_shared_key_is_read_where_the_settings_say_group(centre: Centre) -> None:
    if os.name == "nt":
        pytest.skip("Windows has no such modes")
    key_file(centre).chmod(0o640)
    assert "[A001]" in centre.call("key", "show").err
    with (centre.root / "rttqa.yaml").open("a", encoding="utf-8") as handle:
        handle.write("key_access: group\n")
    assert centre.call("key", "show").code == 0
