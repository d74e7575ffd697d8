"""The sentences for each piece of evidence about names and births, in Indonesian and English."""

from typing import Final

TEXTS: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("name_word", "equal"): ("Sebagian nama sama.", "A word of the name is equal."),
    ("name_word", "sounds_equal"): (
        "Sebagian nama sama bunyinya, berbeda ejaannya.",
        "A word of the name sounds the same and is spelled otherwise.",
    ),
    ("name_word", "similar"): ("Sebagian nama mirip.", "A word of the name is similar."),
    ("name_word", "initial"): (
        "Inisial cocok dengan nama.",
        "An initial fits a word of the name.",
    ),
    ("name_word", "glued"): (
        "Bagian nama ditulis serangkai atau terpisah.",
        "Words of the name are written together or apart.",
    ),
    ("name_word", "cut_off"): (
        "Nama terpotong di MRZ; awalannya cocok.",
        "The name is cut off in the machine-readable zone; its beginning fits.",
    ),
    ("name_word", "shortened"): (
        "Bagian nama adalah bentuk pendek dari nama lain.",
        "A word of the name is a short form of the other.",
    ),
    ("name_word", "absent"): (
        "Bagian nama hanya ada pada salah satu pihak.",
        "A part of the name is on one side only.",
    ),
    ("name_word", "contradicts"): (
        "Bagian nama pada kedua pihak berbeda.",
        "Parts of the names contradict each other.",
    ),
    ("alias", "weak"): (
        "Alias berkualitas rendah; dihitung hanya bersama tanggal lahir.",
        "The alias is of low quality; it counts only with the birth date.",
    ),
    ("birth_date", "equal"): ("Tanggal lahir sama.", "The birth date is equal."),
    ("birth_date", "swapped"): (
        "Tanggal dan bulan lahir tertukar.",
        "Day and month of the birth date have changed places.",
    ),
    ("birth_date", "one_digit"): (
        "Tanggal lahir berbeda satu angka.",
        "The birth dates differ in one digit.",
    ),
    ("birth_date", "compatible"): (
        "Tanggal lahir cocok dengan yang diketahui.",
        "The birth date fits what is known.",
    ),
    ("birth_date", "default_day"): (
        "Tahun lahir sama; 1 Januari sering berarti tanggalnya tidak diketahui.",
        "The year of birth is equal; 1 January often means an unknown day.",
    ),
    ("birth_date", "near_year"): (
        "Tahun lahir sama atau berselisih satu tahun.",
        "The years of birth are equal or one apart.",
    ),
    ("birth_date", "contradicts"): ("Tanggal lahir bertentangan.", "The birth dates contradict each other."),
    ("birth_date", "unknown"): (
        "Tanggal lahir tidak diketahui pada salah satu pihak.",
        "The birth date is unknown on one side.",
    ),
    ("sex", "different"): ("Jenis kelamin berbeda.", "The sexes differ."),
    ("nationality", "different"): ("Kewarganegaraan berbeda.", "The nationalities differ."),
}
"""The sentence for each feature and result of a comparison (`Evidence`), in Indonesian and in English."""
