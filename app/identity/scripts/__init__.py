"""Romanisation of names in other scripts, as persons with these names have them in passports.

A transliteration letter by letter is often not the name: 김 is Kim, عبدالرحمن is Abdul Rahman, เพชร is Phet. Each
module returns for a text of its script the forms in passports, the likeliest first. Scripts without a module here are
transliterated letter by letter (`latin`).
"""
