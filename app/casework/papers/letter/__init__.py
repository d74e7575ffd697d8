"""Decision letters: their text, typefaces and layout."""
