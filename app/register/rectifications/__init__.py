"""Correction requests of the persons concerned, under the data-protection law (UU 27/2022 art. 30; R63)."""
