"""The file as a whole: what is read, what is refused and where."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.register.lists.un import ListedPerson, ListUnreadable, Remark, UnList, UnreadablePerson, digest, read


def test_an_edition_knows_when_it_was_made_and_whom_it_lists(
    read_text: Callable[[str], UnList], make_edition: Callable[..., str], make_individual: Callable[..., str]
):
    edition = read_text(
        make_edition(
            make_individual(),
            make_individual(data_id="700002", name="BELA"),
            entities="<ENTITY><DATAID>800001</DATAID><FIRST_NAME>A FIRM</FIRST_NAME></ENTITY>",
        )
    )
    assert edition.generated_at == datetime(2026, 5, 5, 0, 3, 54, 942000, tzinfo=UTC)
    assert [person.full_name for person in edition.persons] == ["ALVAR TESTO", "BELA TESTO"]
    assert edition.entity_ids == ("800001",)
    assert edition.unreadable == ()


def test_a_person_is_read_with_tidy_cells(listed: Callable[[str], ListedPerson]):
    person = listed(
        """<GENDER>MALE</GENDER><COMMENTS1> Told
          over two   lines. </COMMENTS1>
        <DESIGNATION><VALUE>Minister </VALUE><VALUE>Envoy</VALUE></DESIGNATION>
        <INDIVIDUAL_ADDRESS><COUNTRY/></INDIVIDUAL_ADDRESS>
        <INDIVIDUAL_ADDRESS><CITY>Port</CITY><COUNTRY>Utopia</COUNTRY></INDIVIDUAL_ADDRESS>
        <INDIVIDUAL_ADDRESS><NOTE>in hiding</NOTE></INDIVIDUAL_ADDRESS>
        <INDIVIDUAL_PLACE_OF_BIRTH/>
        <INDIVIDUAL_PLACE_OF_BIRTH><CITY>Town</CITY><COUNTRY>Utopia</COUNTRY></INDIVIDUAL_PLACE_OF_BIRTH>"""
    )
    assert (person.data_id, person.reference, person.programme) == ("700001", "UTi.001", "UTOPIA")
    assert person.listed_on == "2020-01-31"
    assert person.comments == "Told over two lines."
    assert person.designation == "Minister; Envoy"
    assert person.address == "Port, Utopia; in hiding"
    assert person.birth_place == "Town, Utopia"
    assert (person.sex, person.births, person.documents, person.aliases) == ("male", (), (), ())


@pytest.mark.parametrize(
    ("cells", "sex"),
    [
        ("<GENDER>Female</GENDER><COMMENTS1>Gender: male.</COMMENTS1>", "female"),
        ("<GENDER>Unknown</GENDER><COMMENTS1>Gender: male.</COMMENTS1>", "unspecified"),
        ("<COMMENTS1>Gender [Male]. A notice exists.</COMMENTS1>", "male"),
        ("<COMMENTS1>Dual title. Sex: female. Photo available.</COMMENTS1>", "female"),
        ("<COMMENTS1>Gender:  male.in response</COMMENTS1>", "male"),
        ("<COMMENTS1>Left with a male cousin.</COMMENTS1>", "unspecified"),
        ("", "unspecified"),
    ],
)
def test_the_sex_is_told_by_its_cell_or_else_by_the_comments(
    listed: Callable[[str], ListedPerson], cells: str, sex: str
):
    assert listed(cells).sex == sex


def test_malformed_xml_is_refused_whole_with_line_and_column(
    tmp_path: Path, make_edition: Callable[..., str], make_individual: Callable[..., str]
):
    path = tmp_path / "broken.xml"
    text = make_edition(make_individual()).replace("</INDIVIDUALS>", "\n</INDIVIDUAL>")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ListUnreadable, match="not well-formed XML: mismatched tag") as refusal:
        read(path)
    lines = text.splitlines()
    assert lines[refusal.value.line - 1].startswith("</INDIVIDUAL>")
    assert refusal.value.column == 3
    assert str(refusal.value).startswith(f"line {refusal.value.line}, column 3: ")


def test_a_file_cut_short_is_refused(
    read_text: Callable[[str], UnList], make_edition: Callable[..., str], make_individual: Callable[..., str]
):
    with pytest.raises(ListUnreadable, match="not well-formed XML"):
        read_text(make_edition(make_individual())[:-30])


def test_a_line_longer_than_a_piece_is_still_one_line(
    read_text: Callable[[str], UnList], make_edition: Callable[..., str], make_individual: Callable[..., str]
):
    comments = f"<COMMENTS1>{'long ' * 40_000}</COMMENTS1>"
    (person,) = read_text(make_edition(make_individual(comments))).persons
    assert len(person.comments or "") == 199_999
    text = make_edition(make_individual(comments), generated="soon")
    with pytest.raises(ListUnreadable) as refusal:
        read_text(text.replace("\n", "").replace("?>", "?>\n"))
    assert refusal.value.line == 2


def test_an_empty_file_is_refused(read_text: Callable[[str], UnList]):
    with pytest.raises(ListUnreadable) as refusal:
        read_text("")
    assert refusal.value.line == 1


@pytest.mark.parametrize(
    "prologue",
    [
        '<!DOCTYPE CONSOLIDATED_LIST SYSTEM "list.dtd">',
        '<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE l [<!ENTITY file SYSTEM "file:///etc/hostname">]>',
    ],
)
def test_declarations_that_could_grow_or_reach_out_are_refused(
    read_text: Callable[[str], UnList], prologue: str
):
    with pytest.raises(ListUnreadable, match="not accepted") as refusal:
        read_text(f'<?xml version="1.0"?>\n{prologue}\n<CONSOLIDATED_LIST dateGenerated="2026-05-04"/>')
    assert refusal.value.line == 2


def test_an_encoding_that_cannot_be_read_is_refused(read_text: Callable[[str], UnList]):
    with pytest.raises(ListUnreadable) as refusal:
        read_text('<?xml version="1.0" encoding="no-such-code"?>\n<CONSOLIDATED_LIST/>')
    assert refusal.value.line == 1


@pytest.mark.parametrize(
    ("text", "fault", "line"),
    [
        ("\n\n<sdnList>\n<sdnEntry/></sdnList>", "the root is 'sdnList'", 3),
        ("<CONSOLIDATED_LIST><INDIVIDUALS/></CONSOLIDATED_LIST>", "dateGenerated", 1),
        ('<CONSOLIDATED_LIST dateGenerated="yesterday"/>', "dateGenerated", 1),
        (
            '<CONSOLIDATED_LIST dateGenerated="2026-05-04T00:00:00Z">\n<INDIVIDUALS/>\n</CONSOLIDATED_LIST>',
            "names no individual",
            3,
        ),
    ],
)
def test_a_file_of_another_kind_is_refused(
    read_text: Callable[[str], UnList], text: str, fault: str, line: int
):
    with pytest.raises(ListUnreadable, match=fault) as refusal:
        read_text(text)
    assert refusal.value.line == line


def test_who_has_no_name_or_is_there_twice_is_left_out_alone(
    read_text: Callable[[str], UnList], make_edition: Callable[..., str], make_individual: Callable[..., str]
):
    edition = read_text(
        make_edition(
            make_individual(data_id=""),
            make_individual(data_id="700003", name="").replace("TESTO", ""),
            make_individual(data_id="700004"),
            make_individual(data_id="700004", name="TWIN"),
            make_individual(data_id="700004"),
        )
    )
    assert [(person.data_id, person.full_name) for person in edition.persons] == [
        ("", "ALVAR TESTO"),
        ("700004", "ALVAR TESTO"),
        ("700004", "TWIN TESTO"),
    ]
    assert edition.unreadable == (
        UnreadablePerson(id="700003", reason="no_name", data_id="700003", reference="UTi.003"),
        UnreadablePerson(id="700004", reason="repeated", data_id="700004", reference="UTi.004"),
    )


@pytest.mark.parametrize("words", ["", "January 2020", "2020-02-30", "2026-05-06", "31-01-2020", "20200131"])
def test_who_has_no_day_of_listing_is_listed_with_a_remark(
    read_text: Callable[[str], UnList],
    make_edition: Callable[..., str],
    make_individual: Callable[..., str],
    words: str,
):
    text = make_edition(make_individual().replace("2020-01-31-05:00", words))
    [person] = read_text(text).persons
    assert (person.listed_on, person.remarks) == (None, (Remark(code="listing_date_unclear", detail=words),))


def test_the_digest_sees_what_is_said_and_not_how_it_is_set(listed: Callable[[str], ListedPerson]):
    cells = """<LAST_DAY_UPDATED><VALUE>2021-01-01</VALUE></LAST_DAY_UPDATED><SORT_KEY/>
      <COMMENTS1>First line
         second line</COMMENTS1>
      <INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>One</ALIAS_NAME></INDIVIDUAL_ALIAS>
      <INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>Two</ALIAS_NAME></INDIVIDUAL_ALIAS>"""
    reordered = """<COMMENTS1>First line second line </COMMENTS1>
      <INDIVIDUAL_ALIAS><QUALITY>Low</QUALITY><ALIAS_NAME>Two</ALIAS_NAME></INDIVIDUAL_ALIAS>
      <INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME> One</ALIAS_NAME></INDIVIDUAL_ALIAS>
      <LAST_DAY_UPDATED><VALUE>2022-02-02</VALUE></LAST_DAY_UPDATED>"""
    assert digest(listed(cells)) == digest(listed(reordered))
    assert digest(listed(cells)) != digest(listed(cells.replace("Low", "Good")))
    assert digest(listed(cells)) != digest(listed(cells.replace("second", "third")))
    assert len(digest(listed(cells))) == 64


@pytest.mark.parametrize(
    "cells",
    [
        "<NATIONALITY><VALUE>Malaysia</VALUE><VALUE>Indonesia</VALUE></NATIONALITY>",
        "<NATIONALITY><VALUE>Possibly Indonesian</VALUE></NATIONALITY>",
        """<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT>
           <NUMBER>X1234567</NUMBER><ISSUING_COUNTRY>Indonesian passport</ISSUING_COUNTRY>
           </INDIVIDUAL_DOCUMENT>""",
        """<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>National Identification Number</TYPE_OF_DOCUMENT>
           <NUMBER>3273014101700001</NUMBER></INDIVIDUAL_DOCUMENT>""",
    ],
)
def test_whatever_says_indonesia_makes_an_indonesian(listed: Callable[[str], ListedPerson], cells: str):
    assert listed(cells).is_indonesian


@pytest.mark.parametrize(
    "cells",
    [
        "",
        "<NATIONALITY><VALUE>Malaysia</VALUE></NATIONALITY>",
        """<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>National Identification Number</TYPE_OF_DOCUMENT>
           <NUMBER>3273014101700001</NUMBER><ISSUING_COUNTRY>Pakistan</ISSUING_COUNTRY></INDIVIDUAL_DOCUMENT>""",
        """<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>Passport</TYPE_OF_DOCUMENT>
           <NUMBER>X1234567</NUMBER><NOTE>issued in Jakarta, Indonesia</NOTE></INDIVIDUAL_DOCUMENT>""",
    ],
)
def test_nothing_else_makes_an_indonesian(listed: Callable[[str], ListedPerson], cells: str):
    assert not listed(cells).is_indonesian
