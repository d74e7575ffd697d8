"""Reading a pepper (the key of keyed hashes) from the text of a setting or a file."""

HEX = "hex:"
SHORTEST_PEPPER = 16
"""Bytes of a pepper that is written as hexadecimal digits."""


def pepper_of(text: str) -> bytes:
    """Return the pepper that a text gives: its characters as UTF-8, or the bytes behind `hex:`.

    Raises:
        ValueError: behind `hex:` there are not 32 hexadecimal digits or more.
    """
    if not text.startswith(HEX):
        return text.encode()
    digits = text.removeprefix(HEX)
    try:
        pepper = bytes.fromhex(digits)
    except ValueError:
        pepper = b""
    if len(pepper) < SHORTEST_PEPPER:
        raise ValueError(f"behind {HEX} there are {2 * SHORTEST_PEPPER} hexadecimal digits or more")
    return pepper
