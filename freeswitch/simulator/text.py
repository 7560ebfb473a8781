r"""How the switch takes command lines apart: quotes, escapes and braces, oddities included.

The oddity that bites: the words of a command are taken apart first, and that already strips single quotes and
backslashes. So in `originate {name='Li, Wei'}user/1001 &park` the quotes are gone when the braces are read, and the
comma ends the value. `\,` or `{^^;name='Li, Wei';…}` gets it through (switch_utils.c, switch_event_create_brackets).
"""

from typing import Final

_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "s": " "}


def separate(line: str, delimiter: str, most: int = 0) -> list[str]:
    """Split as switch_separate_string does; `^^x` in front makes x the delimiter. At most `most` pieces (0: any)."""
    if line.startswith("^^") and len(line) > 3:  # noqa: PLR2004 - two carets, the delimiter, and something behind
        delimiter, line = line[2], line[3:]
    if "'" not in line and "\\" not in line and not most:  # nothing to think about
        if delimiter == " ":
            return line.split()
        return [piece.strip(" ") for piece in line.removesuffix(delimiter).split(delimiter)]
    pieces: list[str] = []
    start = position = 0
    quoted = False
    blank = delimiter == " "
    while position < len(line):
        mark = line[position]
        if mark == "\\":
            position += 1
        elif mark == "'" and (blank or quoted or "'" in line[position + 1 :]):
            quoted = not quoted
        elif mark == delimiter and not quoted:
            if most and len(pieces) + 1 == most:
                break
            pieces.append(line[start:position])
            while blank and position + 1 < len(line) and line[position + 1] == " ":
                position += 1
            start = position + 1
        position += 1
    if start < len(line) or not pieces:
        pieces.append(line[start:])
    return [_clean(piece, "" if blank else delimiter) for piece in pieces]


def _clean(piece: str, delimiter: str) -> str:
    """One piece without its quotes, escapes and outer blanks (cleanup_separated_string)."""
    out: list[str] = []
    end = 0
    quoted = False
    position = len(piece) - len(piece.lstrip(" "))
    while position < len(piece):
        mark = piece[position]
        after = piece[position + 1] if position + 1 < len(piece) else ""
        if mark == "\\" and after and (after in "'\"\\" or after == delimiter or after in _ESCAPES):
            out.append(_ESCAPES.get(after, after))
            end = len(out)
            position += 2
            continue
        if mark == "'" and (quoted or "'" in piece[position + 1 :]):
            quoted = not quoted
            if quoted:
                end = len(out)
        else:
            out.append(mark)
            if mark != " " or quoted:
                end = len(out)
        position += 1
    return "".join(out[:end])


def braces(line: str, opening: str = "{", closing: str = "}") -> tuple[dict[str, str], str] | None:
    """Take `{a=b,c=d}` off the front of a line: the variables and the rest, or None when the braces never close."""
    variables: dict[str, str] = {}
    while line.startswith(opening):
        end = _closing(line, opening, closing)
        if end < 0:
            return None
        for pair in separate(line[1:end], ","):
            name, equals, value = pair.partition("=")
            if equals:
                variables[name.strip()] = _clean(value, "=")
        line = line[end + 1 :].lstrip(" ")
    return variables, line


def _closing(line: str, opening: str, closing: str) -> int:
    depth = 0
    for position, mark in enumerate(line):
        if mark == opening:
            depth += 1
        elif mark == closing:
            depth -= 1
            if depth == 0:
                return position
    return -1
