"""Makes the labelled sets of bench/labelled: invented persons under names as papers, carriers and typists have them.

    python -m bench.made_sets                 # writes bench/labelled/*.csv again, the same to the letter

No person here exists. Each list of names below was written by hand: common words of the kind in combinations of our
own. How the other name of a pair comes about is a pattern that public sources describe (instructions of carriers and
of visa forms for people with one name, the reforms of Indonesian spelling, the name changes of 1966, Balinese birth
order, biographies of people on public lists); a category says which. No row of any published list was used.

A person of a pair has one birth date on both sides, but where a category is about the date. Another person has another
birth date, drawn at random: a matcher that is asked with dates should tell namesakes apart by it.
"""

import csv
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from bench.processes import ROOT

FOLDER = ROOT / "bench" / "labelled"
COLUMNS = ("set", "category", "name_query", "name_entry", "label", "dob_query", "dob_entry")


class Row(NamedTuple):
    """A pair as it is written: what was asked, what is listed, whether they are one person."""

    category: str
    asked: str
    listed: str
    same: bool
    asked_birth: str
    listed_birth: str


_ONE_NAME = """
    Suharyadi Sukirman Parjono Ngatimin Tukijo Sumarsih Waginem Kasmirah Ponirin Sarwendah Legiman Mujiyono Rusmiati
    Jumingan Sutirah Karyoto Darsinah Poniman Sakimin Wakijo Tumirah Paimin Yatinem Supangat Marsudi Sariyem
""".split()  # noqa: SIM905 - a list of names reads best as one
_WOMEN = {
    "Sumarsih",
    "Waginem",
    "Kasmirah",
    "Sarwendah",
    "Rusmiati",
    "Sutirah",
    "Darsinah",
    "Tumirah",
    "Yatinem",
    "Sariyem",
}
_FATHERS = ("Wiryodikromo", "Kartosentono", "Atmorejo", "Mangunsari", "Prawirodirjo")
_ONE_NAME_OTHERS = {
    "Suharyadi": "Suharyanto",
    "Sukirman": "Sukirno",
    "Parjono": "Parjiman",
    "Sumarsih": "Sumarni",
    "Ponirin": "Poniran",
    "Mujiyono": "Mujianto",
    "Rusmiati": "Rusminah",
    "Sutirah": "Sutinah",
    "Sakimin": "Sakiman",
    "Tumirah": "Tuminah",
    "Marsudi": "Marsono",
    "Supangat": "Supardi",
}

_CHINESE: tuple[tuple[str, str, str, str, str], ...] = (
    # Hokkien or Hakka in the old spelling, in that of 1972, pinyin, a Western given name, an adapted family name
    ("Tan Tjoe Lian", "Tan Cu Lian", "Chen Zhulian", "Linda", "Tanuwijaya"),
    ("Liem Boen Hwa", "Lim Bun Hwa", "Lin Wenhua", "Budi", "Halim"),
    ("Oei Tiong Djien", "Oei Tiong Jin", "Huang Zhongren", "Herman", "Wijaya"),
    ("Tjia Siok Nio", "Cia Siok Nio", "Xie Shuniang", "Susana", "Ciputri"),
    ("Kwee Hok Tjoan", "Kwee Hok Cuan", "Guo Fuquan", "Frans", "Kurnia"),
    ("Gouw Soei Kim", "Gow Sui Kim", "Wu Ruijin", "Yanti", "Gozali"),
    ("The Goan Tjoen", "The Guan Cun", "Zheng Yuanchun", "Robert", "Tedja"),
    ("Njoo Kiem Tjay", "Nyo Kim Cay", "Liang Jincai", "Hendra", "Nyoman"),
    ("Lauw Tek Sioe", "Lau Tek Siu", "Liu Dexiu", "Teddy", "Laurensius"),
    ("Ong Djing Swan", "Ong Jing Suan", "Wang Qingxuan", "Vera", "Ongkowijoyo"),
    ("Tjoa Bing Gie", "Cua Bing Gi", "Cai Bingyi", "Benny", "Cuaca"),
    ("Sie Tjhoen Moy", "Si Cun Moi", "Shi Chunmei", "Meiliana", "Setiawan"),
    ("Poei Kong Sien", "Pui Kong Sin", "Fang Guangxian", "Steven", "Puspita"),
    ("Thio Eng Hoat", "Tio Eng Hoat", "Zhang Rongfa", "Johan", "Setio"),
    ("Yap Swie Lan", "Yap Sui Lan", "Ye Ruilan", "Melani", "Yapardi"),
    ("Khouw Tjin Hong", "Kou Cin Hong", "Xu Zhenfeng", "Rudi", "Kosasih"),
    ("Hioe Njan Joeng", "Hiu Nyan Yung", "Qiu Yanrong", "Andreas", "Hiumanto"),
    ("Bong Sioe Tjhin", "Bong Siu Cin", "Huang Xiuzhen", "Erna", "Bongsowati"),
    ("Tjong A Fie Min", "Cong A Fi Min", "Zhang Yahuimin", "Surya", "Congkaryo"),
    ("Phang Djun Khioen", "Pang Jun Kiun", "Peng Yunqin", "Albert", "Pangestu"),
)

_BALINESE: tuple[tuple[str, str, str], ...] = (
    # what stands before a Balinese name, how papers shorten it, the own name
    ("I Wayan", "I Wyn.", "Sudarmika"),
    ("Ni Made", "Ni Md.", "Ariyasih"),
    ("I Nyoman", "I Nym.", "Kertayasa"),
    ("Ni Ketut", "Ni Kt.", "Suartini"),
    ("I Gusti Ngurah", "I Gst. Ngr.", "Pradnyawan"),
    ("Ida Bagus Gede", "Ida Bgs. Gd.", "Surawisesa"),
    ("Ida Ayu Putu", "I.A. Pt.", "Widnyani"),
    ("Anak Agung Gede", "A.A. Gde", "Raiwangsa"),
    ("Anak Agung Istri", "A.A. Istri", "Mirahdewi"),
    ("Cokorda Gde", "Cok. Gde", "Dharmaputra"),
    ("Desak Putu", "Dsk. Pt.", "Sriwahini"),
    ("I Dewa Made", "I Dw. Md.", "Basudewa"),
    ("Ni Luh", "Ni Lh.", "Kartikasih"),
    ("I Komang", "I Kmg.", "Wirasana"),
    ("I Putu", "I Pt.", "Ardhanareswara"),
    ("Ni Kadek", "Ni Kdk.", "Puspaningrat"),
    ("I Gede", "I Gd.", "Artawan"),
    ("Ni Putu Eka", "Ni Pt. Eka", "Lestyaning"),
    ("I Made Agus", "I Md. Agus", "Wirautama"),
    ("I Ketut", "I Kt.", "Mandrajaya"),
)

_TYPED = (
    "Budi Prasetiawan",
    "Retno Wulandhani",
    "Muhammad Rizal Kamaludin",
    "Abdul Hadi Sasmita",
    "Yohanes Bria Seran",
    "Siti Khadijah Nasrullah",
    "Gregorius Lake",
    "Farida Hanum Rangkuti",
    "Tengku Zainal Aripin",
    "Dwi Cahyo Nugraheni",
    "Oktavianus Mote",
    "Nurul Izzatil Ma'wa",
    "Fransiska Ndolu",
    "Andi Baso Makkulau",
    "Hendro Wicaksono Putranto",
    "Aldous Pemberton",
    "Katarzyna Wojciechowska",
    "Nguyen Thi Thanh Huong",
    "Mohd Faizal bin Othman",
    "Park Seo Ryun",
    "Olumide Adebayo Ogunleye",
    "Maria Fernanda Villalobos",
    "Sandeep Kumar Bhattacharya",
    "Xu Mingzhe",
    "Jean-Baptiste Delacourt",
    "Aleksandr Pavlovich Zhdanov",
    "Fatimah az-Zahra Al-Mansouri",
    "Johannes van der Meulen",
    "Tomoko Hayashibara",
    "Jerome Dela Cruz Santos",
)
_NEIGHBOURS = dict(zip("QWERTYUIOPASDFGHJKLZXCVBNM", "WERTYUIOPOSDFGHJKLKXCVBNMN", strict=True))

_ALIASES: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    # the listed name, the birth date, other names with the pattern that each follows
    (
        "Zulfadli Anwar Kemangi",
        "1976-03-11",
        (
            ("dropped", "Zulfadli Kemangi"),
            ("dropped", "Anwar Kemangi"),
            ("one_in_common", "Abu Hanif Kemangi"),
            ("lone", "Zulfadli"),
            ("shortened", "Zul Kemangi"),
            ("different_name", "Abu Hanif"),
        ),
    ),
    (
        "Mahfudz Saifullah bin Karim",
        "1969-10-02",
        (
            ("dropped", "Mahfud Karim"),
            ("added", "Mahfudz Saifullah Al Bantani"),
            ("one_in_common", "Syaifulloh Hidayatudin"),
            ("lone", "Saifulloh"),
            ("different_name", "Pak Lurah"),
        ),
    ),
    (
        "Ridwansyah Lubuklinggau",
        "1981-07-19",
        (
            ("added", "Ridwansyah Daeng Lubuklinggau Tanjung"),
            ("one_in_common", "Iwan Lubuklinggau"),
            ("lone", "Ridwansyah"),
            ("shortened", "Ridwan Lubuk"),
            ("different_name", "Si Belang"),
        ),
    ),
    (
        "Khairuddin Tarmizi Penanggalan",
        "1972-01-25",
        (
            ("dropped", "Tarmizi Penanggalan"),
            ("kunya", "Abu Tarmizi"),
            ("one_in_common", "Khairuddin Al Asyi"),
            ("lone", "Penanggalan"),
            ("added", "Teungku Khairuddin Tarmizi bin Usman Penanggalan"),
        ),
    ),
    (
        "Gunadi Wirapati Sanjoto",
        "1965-12-30",
        (
            ("dropped", "Gunadi Sanjoto"),
            ("initials", "G. W. Sanjoto"),
            ("initials", "Gunadi W. S."),
            ("one_in_common", "Gunadi Hartopo"),
            ("shortened", "Gun Sanjoto"),
        ),
    ),
    (
        "Faturrahman Al Ghifari Basalamat",
        "1979-05-08",
        (
            ("dropped", "Fatur Basalamat"),
            ("kunya", "Abu Ghifari"),
            ("one_in_common", "Faturrohman Jaelani Tasik"),
            ("origin", "Al Ghifari Al Indunisi"),
            ("lone", "Basalamat"),
            ("different_name", "Abu Mus'ab Al Jawi"),
        ),
    ),
    (
        "Yulianto Sembiring Pelawi",
        "1984-09-14",
        (
            ("dropped", "Yulianto Sembiring"),
            ("dropped", "Yulianto Pelawi"),
            ("one_in_common", "Anto Pelawi"),
            ("lone", "Yulianto"),
            ("added", "Yulianto Junior Sembiring Pelawi Tambunan"),
        ),
    ),
    (
        "Nurhasanah Dalimartha",
        "1988-02-17",
        (
            ("married", "Nurhasanah Pakpahan"),
            ("married", "Nurhasanah Dalimartha Pakpahan"),
            ("shortened", "Nur Dalimartha"),
            ("shortened", "Sanah Dalimartha"),
            ("teknonym", "Ummu Dalimartha"),
            ("different_name", "Ummu Haikal"),
        ),
    ),
    (
        "Bahrumsyah Panggabeanto",
        "1974-06-21",
        (
            ("lone", "Bahrumsyah"),
            ("origin", "Bahrum Al Andalasi"),
            ("one_in_common", "Muhsin Panggabeanto"),
            ("added", "Bahrumsyah Mennor Panggabeanto"),
            ("different_name", "Komandan Elang"),
        ),
    ),
    (
        "Emmanuel Kiprotich Ochieng",
        "1977-11-05",
        (
            ("dropped", "Emmanuel Ochieng"),
            ("one_in_common", "Emanuel Baraka"),
            ("lone", "Kiprotich"),
            ("initials", "E. K. Ochieng"),
            ("added", "Emmanuel Kiprotich Ochieng Wafula"),
        ),
    ),
    (
        "Sergei Vladimirovich Orlovskikh",
        "1970-08-28",
        (
            ("dropped", "Sergey Orlovskikh"),
            ("shortened", "Seryozha Orlovskikh"),
            ("one_in_common", "Sergei Morozenko"),
            ("lone", "Orlovskikh"),
            ("added", "Sergei Vladimirovich Orlovskikh-Beltran"),
        ),
    ),
    (
        "Abdelkader Mokhtari Benslama",
        "1973-04-03",
        (
            ("dropped", "Abd al-Qadir Benslama"),
            ("kunya", "Abou Mokhtar Benslama"),
            ("one_in_common", "Mokhtari Khaled"),
            ("origin", "Abdelkader al-Jazairi"),
            ("lone", "Benslama"),
            ("different_name", "Abou Yahia"),
        ),
    ),
    (
        "Rosalinda Magbanuaya Cabrera",
        "1986-10-10",
        (
            ("dropped", "Rosalinda Cabrera"),
            ("married", "Rosalinda Cabrera Dimaculangan"),
            ("shortened", "Linda Cabrera"),
            ("one_in_common", "Rose Magbanuaya"),
            ("lone", "Rosalinda"),
        ),
    ),
    (
        "Darmawan Suryokusumo Adiningrat",
        "1959-03-27",
        (
            ("dropped", "Darmawan Adiningrat"),
            ("added", "R.M. Darmawan Suryokusumo Adiningrat Sepuh"),
            ("initials", "D. S. Adiningrat"),
            ("one_in_common", "Darmawan Kliwon"),
            ("lone", "Suryokusumo"),
        ),
    ),
    (
        "Habiburrohman Sarkawi Tegalrejo",
        "1982-12-12",
        (
            ("dropped", "Habib Sarkawi"),
            ("shortened", "Habib Tegalrejo"),
            ("kunya", "Abu Sarkawi"),
            ("origin", "Habiburrahman At Tegali"),
            ("one_in_common", "Rohman Tegalrejo"),
            ("different_name", "Mas Tattoo"),
        ),
    ),
    (
        "Chandrasekar Muthuvelappan",
        "1971-05-30",
        (
            ("lone", "Chandrasekar"),
            ("initials", "M. Chandrasekar"),
            ("shortened", "Chandra Muthuvelappan"),
            ("one_in_common", "Sekar Muthuvelappan"),
            ("added", "Chandrasekar Muthuvelappan Pillai"),
        ),
    ),
)


def one_name(chance: random.Random) -> Iterator[Row]:
    """People with one name, as forms, carriers and visas that demand two write them."""
    placeholders = ("FNU {}", "{} LNU", "{} XXX", "{} TANPA NAMA", "{} UNKNOWN", "{} NOGIVENNAME")
    for number, name in enumerate(_ONE_NAME):
        born, title = _birth(chance), "MRS" if name in _WOMEN else "MR"
        lineage = "binti" if name in _WOMEN else "bin"
        father, more = _FATHERS[number % len(_FATHERS)], _FATHERS[(number + 2) % len(_FATHERS)]
        yield Row("as_it_is", name.upper(), name, True, born, born)
        yield Row("doubled", f"{name} {name}".upper(), name, True, born, born)
        yield Row("placeholder", placeholders[number % 6].format(name.upper()), name, True, born, born)
        yield Row("placeholder", placeholders[(number + 3) % 6].format(name.upper()), name, True, born, born)
        yield Row("title_glued", f"{name.upper()}{title}", name, True, born, born)
        yield Row("father_as_surname", f"{name} {father}", name, True, born, born)
        yield Row("lineage", f"{name} {lineage} {father}", name, True, born, born)
        yield Row("old_spelling", _old(name), name, True, born, born)
        yield Row("slip", _slip(name, chance), name, True, born, born)
        yield Row("part_of_another", f"{name} {more}", name, False, _birth(chance), born)
        yield Row("namesake", name, name, False, _birth(chance), born)
        if name in _ONE_NAME_OTHERS:
            yield Row("sounds_alike", _ONE_NAME_OTHERS[name], name, False, _birth(chance), born)


def chinese_indonesian(chance: random.Random) -> Iterator[Row]:
    """Chinese-Indonesians: two spellings, Mandarin's, the order turned, Western given names, the change of 1966."""
    for number, (old, new, pinyin, western, adapted) in enumerate(_CHINESE):
        born = _birth(chance)
        family, *given = new.split()
        other = _CHINESE[(number + 7) % len(_CHINESE)]
        yield Row("reformed_spelling", new, old, True, born, born)
        yield Row("family_last", f"{' '.join(given)} {family}", old, True, born, born)
        yield Row("given_joined", f"{family} {''.join(given).capitalize()}", old, True, born, born)
        yield Row("given_hyphened", f"{family} {'-'.join(given)}", new, True, born, born)
        yield Row("western_before", f"{western} {new}", new, True, born, born)
        yield Row("western_alone", f"{western} {family}", f"{western} {new}", True, born, born)
        yield Row("adapted_family", f"{western} {adapted}", f"{western} {new}", True, born, born)
        yield Row("mandarin", pinyin, new, True, born, born)
        yield Row("different_name", f"{western} {adapted}", old, True, born, born)
        yield Row(
            "same_family", f"{family} {' '.join(other[1].split()[1:])}", new, False, _birth(chance), born
        )
        yield Row("same_western", f"{western} {other[4]}", f"{western} {new}", False, _birth(chance), born)
        yield Row("namesake", new, old, False, _birth(chance), born)


def balinese(chance: random.Random) -> Iterator[Row]:
    """Balinese: what stands before the own name is left out, shortened, glued; birth order tells nothing."""
    for number, (before, short, own) in enumerate(_BALINESE):
        born, name = _birth(chance), f"{before} {own}"
        first, *rest = before.split()
        other_before, _, other_own = _BALINESE[(number + 2) % len(_BALINESE)]
        yield Row("as_it_is", name.upper(), name, True, born, born)
        yield Row("without_particle", f"{' '.join(rest)} {own}", name, True, born, born)
        yield Row("own_name_alone", own, name, True, born, born)
        yield Row("shortened", f"{short} {own}", name, True, born, born)
        yield Row("own_name_first", f"{own} {before}", name, True, born, born)
        yield Row("glued", f"{first}{''.join(rest)} {own}".upper(), name, True, born, born)
        yield Row("slip", f"{before} {_slip(own, chance)}", name, True, born, born)
        yield Row("other_birth_order", f"{other_before} {own}", name, False, _birth(chance), born)
        yield Row("same_birth_order", f"{before} {other_own}", name, False, _birth(chance), born)
        yield Row("namesake", name, name, False, _birth(chance), born)


def arrival_card(chance: random.Random) -> Iterator[Row]:
    """Names and dates as travellers and clerks type them from a passport."""
    for number, name in enumerate(_TYPED):
        born, plain = _birth(chance), name.upper()
        words = plain.split()
        other = _TYPED[(number + 11) % len(_TYPED)].split()
        yield Row("neighbouring_key", _neighbouring(plain, chance), name, True, born, born)
        yield Row("letter_left_out", _slip(name, chance), name, True, born, born)
        yield Row("letters_swapped", _swapped(plain, chance), name, True, born, born)
        yield Row("glued", "".join(words), name, True, born, born)
        yield Row("surname_comma", f"{words[-1]}, {' '.join(words[:-1])}", name, True, born, born)
        yield Row(
            "initials",
            " ".join([words[0], *(word[0] for word in words[1:-1]), words[-1]]),
            name,
            True,
            born,
            born,
        )
        yield Row("title", f"{plain} MR", name, True, born, born)
        yield Row("digits", plain.replace("O", "0", 1).replace("I", "1", 1), name, True, born, born)
        yield Row("day_and_month", plain, name, True, _turned(born), born)
        yield Row("year_slip", plain, name, True, _year_slip(born, chance), born)
        yield Row("slip_and_date", _slip(name, chance), name, True, _year_slip(born, chance), born)
        yield Row("same_first_word", " ".join([words[0], *other[1:]]), name, False, _birth(chance), born)
        yield Row("same_last_word", " ".join([*other[:-1], words[-1]]), name, False, _birth(chance), born)
        yield Row("namesake", plain, name, False, _birth(chance), born)


def borne_aliases(chance: random.Random) -> Iterator[Row]:
    """Names that people really go by: left out and added words, noms de guerre with one word in common."""
    for number, (name, born, others) in enumerate(_ALIASES):
        another = _ALIASES[(number + 5) % len(_ALIASES)]
        for category, alias in others:
            yield Row(category, alias, name, True, born, born)
        first, last = name.split()[0], name.split()[-1]
        yield Row("same_first_word", f"{first} {another[0].split()[-1]}", name, False, another[1], born)
        yield Row("same_last_word", f"{another[0].split()[0]} {last}", name, False, another[1], born)
        yield Row("another_alias", another[2][0][1], name, False, another[1], born)
        yield Row("namesake", name, name, False, _birth(chance), born)


SETS: dict[str, Callable[[random.Random], Iterator[Row]]] = {
    each.__name__: each for each in (one_name, chinese_indonesian, balinese, arrival_card, borne_aliases)
}


def rows_of(name: str) -> Iterable[tuple[str, ...]]:
    """The rows of a set, as they are written; the same in every run."""
    yield COLUMNS
    for row in SETS[name](random.Random(name)):
        yield name, row.category, row.asked, row.listed, str(int(row.same)), row.asked_birth, row.listed_birth


def _birth(chance: random.Random) -> str:
    """A day that isn't a first of January, which would stand for an unknown day."""
    while True:
        day = date(1950, 1, 1) + timedelta(days=chance.randrange(55 * 365))
        if (day.month, day.day) != (1, 1):
            return day.isoformat()


def _old(name: str) -> str:
    """The spelling before 1947: oe, dj, tj, j."""
    return name.replace("y", "j").replace("ij", "idj").replace("u", "oe").replace("U", "Oe")


def _slip(name: str, chance: random.Random) -> str:
    """A letter left out of the longest word, not its first."""
    longest = max(name.split(), key=len)
    place = chance.randrange(2, len(longest) - 1)
    return name.replace(longest, longest[:place] + longest[place + 1 :], 1)


def _swapped(name: str, chance: random.Random) -> str:
    """Two neighbouring letters of the longest word in each other's place."""
    longest = max(name.split(), key=len)
    place = chance.randrange(1, len(longest) - 2)
    turned = longest[:place] + longest[place + 1] + longest[place] + longest[place + 2 :]
    return name.replace(longest, turned, 1)


def _neighbouring(name: str, chance: random.Random) -> str:
    """A letter of the longest word mistaken for its neighbour on the keyboard."""
    longest = max(name.split(), key=len)
    place = chance.randrange(1, len(longest))
    wrong = _NEIGHBOURS.get(longest[place], "X")
    return name.replace(longest, longest[:place] + wrong + longest[place + 1 :], 1)


def _turned(born: str) -> str:
    """Day and month in each other's place, where that is a date; else the next day."""
    day = date.fromisoformat(born)
    if day.day <= 12:
        return date(day.year, day.day, day.month).isoformat()
    return (day + timedelta(days=1)).isoformat()


def _year_slip(born: str, chance: random.Random) -> str:
    """Another last digit of the year."""
    wrong = (int(born[3]) + chance.randrange(1, 10)) % 10
    return f"{born[:3]}{wrong}-{born[5:7]}-{min(int(born[8:]), 28):02}"


def main() -> None:
    """The command."""
    for name in SETS:
        path = FOLDER / f"{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows_of(name))
        print(f"Wrote {path.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
