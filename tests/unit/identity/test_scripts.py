"""Names in other scripts, in Latin letters as passports have them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.latin import latin_forms
from app.identity.scripts import arabic, han, hangul, hebrew, kana, thai
from app.identity.spellings import spellings
from app.matching.assessment import assess
from app.matching.keys import key_query
from tests.unit.matching.people import asked, index_of, listed

BORN = "1970-05-17"


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("김민준", "KIM MINJUN"),
        ("김민준", "GIM MINJUN"),
        ("이서연", "YI SEOYUN"),
        ("이서연", "LEE SEOYEON"),
        ("박 지훈", "PARK JIHUN"),
        ("정하은", "CHUNG HAEUN"),
        ("남궁민수", "NAMGUNG MINSU"),
        ("선우진", "SUN UJIN"),
    ],
)
def test_korean_names_have_the_forms_of_korean_passports(written: str, form: str):
    assert form in hangul.romanised(written)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("王小明", "WANG XIAOMING"),
        ("曾文涛", "ZENG WENTAO"),
        ("解文涛", "XIE WENTAO"),
        ("歐陽明華", "OUYANG MINGHUA"),
        ("吕文", "LYU WEN"),
        ("吕文", "LU WEN"),
        ("王 小明", "WANG XIAOMING"),
    ],
)
def test_chinese_names_have_the_surname_apart_and_its_own_reading(written: str, form: str):
    assert form in [" ".join(each.split()) for each in han.romanised(written)] or form.replace(" ", "") in [
        "".join(each.split()) for each in han.romanised(written)
    ]


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("りょうた", "RYOTA"),
        ("おおの", "ONO"),
        ("じゅんいちろう", "JUNICHIRO"),
        ("はっとり", "HATTORI"),
        ("ちづる", "CHIZURU"),
        ("ヤマモト・タロウ", "YAMAMOTO TARO"),
    ],
)
def test_japanese_names_in_kana_are_spelled_as_passports_do(written: str, form: str):
    assert kana.romanised(written) == (form,)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("สมชาย", "SOMCHAI"),
        ("เพชร", "PHET"),
        ("แก้ว", "KAEO"),
        ("จันทร์เพ็ญ", "CHANPHEN"),
        ("วรรณา", "WANNA"),
        ("ใหญ่", "YAI"),
        ("กิตติพงษ์", "KITTIPHONG"),
        ("ธนกร", "THANAKORN"),
        ("สุรชัย", "SURACHAI"),
        ("สมบัติ", "SOMBAT"),
        ("เรืองศรี", "RUEANGSRI"),
        ("ไทย", "THAI"),
    ],
)
def test_thai_names_are_read_by_syllables(written: str, form: str):
    assert form in thai.romanised(written)


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("عبدالرحمن", "ABDUL RAHMN"),
        ("عبد الرحمن", "ABD AL RAHMN"),
        ("عبدالله", "ABDULLAH"),
        ("أبوبكر", "ABU BAKR"),
        ("نورالدين", "NUR AL DIN"),
        ("القحطاني", "AL QAHTANI"),
        ("محمّدُ", "MUHAMMAD"),
        ("محمد\u200cرضا احمدی", "MUHAMMAD RAZA AHMDI"),
        ("محمدرضا احمدی", "MUHAMMAD RAZA AHMDI"),
        ("یوسف", "YUSF"),
        ("الياس", "ALYAS"),
    ],
)
def test_arabic_and_persian_names_have_their_joined_words_parted(written: str, form: str):
    assert arabic.romanised(written) == (form,)


@pytest.mark.parametrize(
    ("written", "form"),
    [("דוד", "DVD"), ("יוסף", "YOSF"), ("כהן", "KAHN"), ("שרה", "SHARA"), ("אורי", "AORI")],
)
def test_hebrew_names_have_vav_and_yod_as_vowels_or_consonants(written: str, form: str):
    assert form in hebrew.romanised(written)


@pytest.mark.parametrize(
    ("written", "latin"),
    [
        ("김민준", "KIM MINJUN"),
        ("이서연", "SEO YEON YI"),
        ("王小明", "XIAOMING WANG"),
        ("曾文涛", "ZENG WEN TAO"),
        ("りょうた おおの", "ONO RYOTA"),
        ("สมชาย แก้วมณี", "Somchai Kaewmanee"),
        ("דוד מזרחי", "David Mizrahi"),
        ("عبدالرحمن حسين", "Abdurrahman Hussein"),
        ("عبد الرحمن حسين", "ABDURRAHMAN HUSEIN"),
        ("عبدالعزيز القحطاني", "Abdul Aziz Alqahtani"),
        ("محمد\u200cرضا احمدی", "Mohammadreza Ahmadi"),
        ("محمدرضا احمدی", "Mohammad Reza Ahmadi"),
        ("علیرضا کریمی", "KARIMI ALI REZA"),
        ("김민준 Kim", "Kim Min Jun"),
    ],
)
def test_a_name_meets_itself_in_latin_letters_in_either_direction(written: str, latin: str):
    for one, other in ((written, latin), (latin, written)):
        index = index_of([("e1", listed(one, BORN))])
        assert index.rank(key_query(asked(other, BORN)), 10).ids == ("e1",), one
        assert assess(asked(other, BORN), listed(one, BORN)).tier == "stop", one


@given(st.text(st.characters(min_codepoint=0x590, max_codepoint=0xD7FF), max_size=60))
def test_no_text_of_any_script_raises_and_what_has_letters_has_words(text: str):
    assert latin_forms(text)
    for form in latin_forms(text):
        assert form.isascii()
    if (
        all(unicodedata.name(each, "").startswith(("HANGUL SYLLABLE", "CJK UNIFIED")) for each in text)
        and text
    ):
        assert spellings(text)
