"""Reading a pepper (the key of keyed hashes) from the text of a setting or a file."""

HEX = "hex:"
SHORTEST_PEPPER = 16
"""The smallest number of bytes of a pepper that is written as hexadecimal digits."""


def pepper_of(text: str) -> bytes:
    """Return the pepper that a text contains: its characters as UTF-8, or the bytes after `hex:`.

    Raises:
        ValueError: `hex:` is followed by fewer than 32 hexadecimal digits, or by something else.
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
