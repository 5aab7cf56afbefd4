"""How people write names, numbers and dates of birth: one harvested value × every usual spelling."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rttqa_build.deidentify.identity import Fact, Harvest, Kind, Who
from rttqa_build.deidentify.residue import Scanner
from rttqa_build.diagnostic import Location

ROOT = Path(__file__).resolve().parents[2]
NAME, NUMBER, LABEL, BIRTH = Kind.NAME, Kind.NUMBER, Kind.LABEL, Kind.BIRTH_DATE
ADDRESS = Kind.ADDRESS


def scanner(kind: Kind, value: str, allowed: tuple[str, ...] = ()) -> Scanner:
    return Scanner(Harvest(frozenset({Fact(Who.PATIENT, kind, value.encode())})), allowed)


def found(kind: Kind, value: str, text: str) -> bool:
    return bool(scanner(kind, value).scan_text(text, Location("text")))


FOUND = {
    (NUMBER, "RXX/123456-A"): (
        "RXX/123456-A|RXX 123456 A|rxx123456a|RXX_123456_A|RXX.123456.A|RXX / 123456 - A|123456"
    ),
    (NUMBER, "A12345"): "A12345|A 12345|A-12345|a_12345|a/12345|(A12345)|PTV_A12345",
    (NUMBER, "RXX123456"): "RXX 123456|RXX/123456|RXX 123 456|rxx123-456",
    (NUMBER, "AB-12-34"): "AB-12-34|AB1234|AB 12 34|ab.12.34",
    (NUMBER, "1234567"): "1234567|123 4567|123-4567|1234567A|no.1234567|0001234567|ID 01234567",
    (NUMBER, "RXX 0123456"): "RXX0123456|0123456|123456|id 123456",
    (NUMBER, "9434765919"): (
        "943 476 5919|943-476-5919|943.476.5919|943/476/5919|943_476_5919|943\u2013476\u20135919|"
        "943\u2014476\u20145919|943\u2011476\u20115919|943\u2212476\u22125919|943\u2012476\u20125919|"
        "943 - 476 - 5919|943 \u2013 476 \u2013 5919|943,476,5919|943:476:5919|943\u00b7476\u00b75919|"
        "943\u00a0476\u00a05919|943\u2009476\u20095919|943\u202f476\u202f5919|943\u200b476\u200b5919|"
        "9 4 3 4 7 6 5 9 1 9|0009434765919|9434765919.0|9434765919.00|"
        "\uff19\uff14\uff13\uff14\uff17\uff16\uff15\uff19\uff11\uff19|"
        "\u0669\u0664\u0663\u0664\u0667\u0666\u0665\u0669\u0661\u0669"
    ),
    (NUMBER, "0703511234"): "703511234|070 351 1234|703511234.0|0703511234|00703511234",  # a CHI number
    (ADDRESS, "Rose Cottage, Mill Lane, Ashby, ZZ99 3VZ"): (
        "Rose Cottage|ROSE COTTAGE|rose  cottage|zz993vz|ZZ993VZ|zz99 3vz|ZZ99-3VZ|ZZ99_3VZ|ZZ99\u00a03VZ"
    ),
    (ADDRESS, "Rose Cottage^Quillmere Lane^Ashby"): "Rose Cottage|Quillmere Lane",
    (ADDRESS, "Flat 2, 17 Quillmere Terrace\r\nAshby Wold\r\nZZ99 3VZ"): (
        "17 Quillmere Terrace|Quillmere Terrace|QUILLMERE TERRACE|ZZ99 3VZ"
    ),
    (ADDRESS, "Quillmere, Ashby"): "Quillmere",
    (ADDRESS, "12a Abergele Road, Colwyn"): "12A Abergele Road|Abergele Road|12a Abergele Rd|12a Abergele",
    (ADDRESS, "4 High Street, Milton Keynes"): "4 High Street|4 High St|4 HIGH ST.",
    (Kind.PHONE, "01632 960417"): "01632 960417|+44 1632 960417|960417|tel. 960417",
    (Kind.PHONE, "(0161) 496 0417"): "0161 496 0417|496 0417|4960417",
    (NAME, "Müller^Jörg"): "Müller|Mueller|MULLER|Joerg|J. Mueller|Mu\u0308ller|j.muller",
    (NAME, "Łuczak-Sørensen^Séamus"): (  # by programs without these letters, or that took UTF-8 for Latin-1
        "S?rensen|PTV_S?rensen|S??rensen|S_rensen|S\ufffdrensen|Srensen|SRENSEN|?uczak|uczak|S?amus|s?amus|"
        "S\u00c3\u00b8rensen|PTV S\u00c3\u00b8rensen|\u00c5\u0081uczak|S\u00c3\u00a9amus"
    ),
    (NAME, "Kelly^Áine"): "\u00c3\u0081ine|PTV \u00c3\u0081ine|Kelly",
    (NAME, "Smith^Ann"): "SMITHPTV|ptvsmith|PTVsmith|smithpelvis|CTVSMITHBOOST|smithplan2|patel_ptvsmith",
    (NAME, "Mueller^Joerg"): "Müller|Muller|Jörg|MUELLER",
    (NAME, "Muller^Jorg"): "Müller|Mueller|MUELLER",
    (NAME, "Strauß^Ida"): "Strauss|Straus|STRAUSS",
    (NAME, "Sørensen^Åse"): "Sorensen|Soerensen|Aase",
    (NAME, "Łukasiewicz^Żaneta"): "Lukasiewicz|ZANETA",
    (NAME, "Smith-Jones^Anna-Maria"): (
        "Smith-Jones|Smith Jones|SmithJones|Smith\u2013Jones|Jones|AnnaMaria|Anna Maria"
    ),
    (NAME, "O'Neill^Pat"): "O'Neill|ONeill|O Neill|O\u2019Neill|O`Neill|O-Neill|oneill",
    (NAME, "ONeill^Pat"): "O'Neill|O Neill|O\u2019Neill|ONEILL",
    (NAME, "ONEILL^PAT"): "O'Neill|O\u2019NEILL|oneill",
    (NAME, "McDonald^Ian"): "McDonald|Mc Donald|MacDonald|MCDONALD",
    (NAME, "MCDONALD^IAN"): "Mc Donald|MacDonald|mcdonald",
    (NAME, "MacDonald^Ian"): "Mac Donald|Mc Donald|McDonald",
    (NAME, "MCKAY^IAN"): "McKay|Mc Kay|Mac Kay|MacKay",
    (NAME, "Yamada^Tarou=山田^太郎=やまだ^たろう"): (
        "山田太郎|太郎 山田|ヤマダ|ﾔﾏﾀﾞ|ヤマダ タロウ|やまだ たろう"
    ),
    (NAME, "Διονυσιος^Νίκος"): "ΔΙΟΝΥΣΙΟΣ|Διονύσιος|νικοσ",
    (NAME, "قباني^نزار"): "قباني|قبانى|نزار قبانى",
    (NAME, "Mac Donald^Ian"): "MacDonald|Macdonald",
    (NAME, "van der Berg^Jo"): "van der Berg|vanderberg|v.d. Berg|BERG",
    (NAME, "Patel^Ravi^K"): "Ravi Patel|PATEL RAVI|R.K. Patel|Patel, R|patel_r|rpatel|ravi.patel|PatelRavi",
    (NAME, "White^Grace"): "Grace White|G White|White G|White, G.|White^G|GWhite|White",
    (NAME, "Stone^Grant"): "Mrs Stone|Dr. Stone|patient: Stone|dose\nName: Grant|PATIENT NAME = STONE",
    (NAME, "SMITH^Penny"): "PTV_Smith|smith60|Smith's plan|seen with Penny",
    (NAME, "Walker^Rob"): "walker|as Walker had",
    (NAME, "HARGREAVES J483921^W"): "J483921|483921|j 483921|Hargreaves",
    (NAME, "Hargreaves (9434765919)^W"): "943 476 5919|9434765919|Hargreaves",
    (NAME, "Long^Ann"): "Long, A|Ann Long|Long^A|Mrs. A. Long|annlong|LongAnn",
    (NAME, "Li^Wei"): "WEILI|liwei|LiWei",
    (NAME, "Ng^Wei"): "W Ng|Ng, W|Wei Ng",
    (BIRTH, "19490312"): (
        "12/03/1949|12.3.1949|12 / 03 / 1949|12_03_1949|12,03,1949|1949_03_12|1949 Mar 12|12. March 1949|"
        "12/03/49|03/12/1949|12 Mar 49|d.o.b. 12.3.49|born 12-3-49|DoB: 49-03-12|12-3-49 (birth)|12/03/'49|"
        "19490312|b. 12th March 1949|12.III.1949|12-III-1949|12/iii/1949|1949.III.12|12:03:1949|1949:03:12|"
        "12 Mar '49|12 Mar \u201949|March 12 '49|12th of March 1949|March 12, 1949|Mar. 12th, 1949|1949-3-12|"
        "March the 12th 1949|the 12th day of March 1949|12eg o Fawrth 1949|12 Mawrth 1949|dob 490312|"
        "date of birth: 120349|12\u201303\u20131949|12\u200b/03/1949"
    ),
    (BIRTH, "19490307"): (
        "1949Mar07|1949_Mar_07|1949-MAR-07|07_Mar_1949|Mar_7_1949|Mar-07-1949|MAR071949|7Mar49|07MAR1949|"
        "7.Mar.1949|PTV_07MAR49|March07,1949"
    ),
    (BIRTH, "19500902"): "2nd of September 1950|2 Sept '50|2.IX.1950|2 Medi 1950",
    (Kind.UID, "1.2.246.352.71.4.123456789"): (
        "1.2.246.352.\n71.4.123456789|1.2.246.352\n.71.4.123456789|x1.2.246.352.71.4.123456789"
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [(*fact, text) for fact, texts in FOUND.items() for text in texts.split("|")],
)
@pytest.mark.parametrize("around", ["{}", "see {} again"])
def test_a_spelling_is_found(kind: Kind, value: str, text: str, around: str) -> None:
    if around != "{}" and text in {"White", "Ng"}:
        return  # an ordinary word counts as a whole value only
    assert found(kind, value, around.format(text))


NOT_FOUND = {
    (NUMBER, "A12345"): "A 1234|A1 2345|A 123456|BA 12345|A 12 345|A\n12345|2A12345",
    (NUMBER, "RXX/123456-A"): "RXX 1234567 A|RXX 12345 A",
    (LABEL, "CT1234"): "CT 1234|CT 12 34",
    (NUMBER, "1234567"): (
        "1.234567|12345.67|123.4567|2.25.1234567|12345678|1.00012345670|10001234567|0.01234567"
    ),
    (NUMBER, "9434765919"): (
        "943.476.59191|1.943.476.5919|943\n476\n5919|943 and 476 and 5919|1009434765919|9434765919.5|"
        "9434765919.0.1|943 -- - 476 5919"
    ),
    (ADDRESS, "Rose Cottage, Mill Lane, Ashby Wold, West Yorkshire"): (
        "Mill Lane|Ashby Wold|West Yorkshire|rose|cottage|Rose Cottages"
    ),
    (ADDRESS, "4 High Street, Milton Keynes, ZZ99 3VZ"): (
        "High Street|Milton Keynes|ZZ99 3VA|ZZ99|4 high|high st"
    ),
    (Kind.PHONE, "015396 12345"): "12345",
    (NAME, "OLIVER^DEAN"): "o Liver|no liver",
    (Kind.WORD, "Chestwall"): "Chestwall L|PTV chestwall",  # of the name of a folder or file
    (Kind.WORD, "PostopCerebellum"): "Postop scan|Cerebellum",
    (Kind.WORD, "Contralateral"): "Contralateral Breast",
    (NAME, "Odell^Max"): "o dell",
    (NAME, "Kelly^Áine"): "container|retained|maine",  # UTF-8 read as Latin-1 leaves no sign of the letter
    (NAME, "Šand^Ítalo"): "data and plan|catalogue",
    (NAME, "Smith^Ann"): "Smithsonian|smithfield|blacksmith|GOLDSMITHS|ptvsmithfield",
    (NAME, "Booth^Lung"): "lungs|boosted",
    (NAME, "Réné^Zoë"): "ren|Ren 2|zo?|Z?",
    (NAME, "DOSE^Distal"): "dose grid|the distal end|treatment dose",
    (NAME, "White^Grace"): "White matter|White L|white, no g|White GTV",
    (NAME, "Bone^Rita"): "R Bone|Bone R|bone r",
    (NAME, "Stone^Grant"): "MR Stone|DR Stone|Structure name: Stone|Mr scan, Stone|patient Grant|Mr stone",
    (NAME, "Donald^Macey"): "Mac|mac address",
    (NAME, "Short^Will"): "a short arc",
    (BIRTH, "19490312"): "12.3.49|12-3-49|version 12.3.49|12/03/1950|112/03/1949|12/03/19491|1.12.03.1949|"
    "12:03:49|dob 12:03:49|49|12.IIV.1949|12 May '49|Mar 12 19:49|March 12, 19491|March 1949",
}


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [(*fact, text) for fact, texts in NOT_FOUND.items() for text in texts.split("|")],
)
def test_a_coincidence_is_none(kind: Kind, value: str, text: str) -> None:
    assert not found(kind, value, text)


PROSE = [
    *(ROOT / "docs").glob("*.md"), ROOT / "README.md", *(ROOT / "trials").rglob("*.yaml"),
    *(ROOT / "rttqa_build" / "data" / "templates").glob("*"),
]  # fmt: skip
SURNAMES = (
    "Smith^John Oliver^Dean Odell^Max Short^Will White^Grace Bone^Rita Field^Art Mould^Carl Beam^Joy "
    "King^May Donald^Macey Leaver^Sue Daniels^Joel Price^April Bell^June Waters^Mark Ray^Gamma "
    "Machin^Ola Samuel^Rae Lung^Wei Ng^Wei Li^Na Day^Dora Page^Tina Brown^Bo Green^Rose Hall^Jane Wood^Tom"
)


@pytest.mark.parametrize("name", SURNAMES.split())
def test_names_that_are_words_raise_no_alarm_in_prose(name: str) -> None:
    search = scanner(NAME, name)
    lines = {line for path in PROSE for line in path.read_text("utf-8").splitlines()}
    # in sentences; a line that is nothing but the name is a hit, as it should be
    assert not [line for line in sorted(lines) if len(line) > 30 and search.identifies(line)]


digits = st.text("0123456789", min_size=5, max_size=8).filter(lambda text: text.strip("0"))
letters = st.text("bcdfghjkmnpqrtvwxz", min_size=1, max_size=3)
marks = st.sampled_from(["", " ", "-", "/", ".", "_", " - ", ":"])


@settings(max_examples=80, deadline=None)
@given(letters, digits, letters, marks, marks, st.booleans())
def test_any_separators_between_letters_and_digits(
    before: str, number: str, after: str, one: str, two: str, upper: bool
) -> None:
    text = f"{before}{one}{number}{two}{after}"
    assert found(NUMBER, f"{before}{number}{after}", text.upper() if upper else text)
    assert found(NUMBER, text, f"{before}{number}{after}")


def test_a_trial_id_written_otherwise_is_no_residue() -> None:
    for value in ("EP-0123", "EP0123", "ep 0123"):
        for text in ("EP-0123", "EP0123", "EP 0123", "for EP-0123 again", "EP/0123"):
            search = scanner(NUMBER, value, ("EP-0123",))
            assert not search.identifies(text)
            assert search.limits() == ()
