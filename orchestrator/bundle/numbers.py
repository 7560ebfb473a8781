"""Pseudonyms of telephone numbers by which is decided as by the numbers themselves.

Rules look at numbers by what they begin with, and by whether they are any. So a pseudonym has the country and area of
its number, every rule that fits the one fits the other, and it is a number as far as that is one. A rule that says more
than the area (a whole number, say) is replaced as the numbers are that it fits. The house's own numbers stay.
"""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import replace

from orchestrator.domain.kernel import Event, Record
from orchestrator.domain.routing import spelling
from orchestrator.domain.routing.branches import BranchConfigured
from orchestrator.domain.routing.entries import EntryPointConfigured
from orchestrator.domain.routing.numbers import ANY, RewriteConfigured
from orchestrator.domain.routing.outside import HOME, OutsideConfigured
from orchestrator.domain.staff.agents import AgentConfigured

# So much of a number says nothing of its subscriber, whatever the tables know of its country.
_HARMLESS: Final = 4
# Whoever finds none in so many tries takes one that fits the rules, and is told of what is decided otherwise.
_TRIES: Final = 300


class Numbers:
    """One pseudonym for each number, as it is meant, and for what rules say of numbers. `digest` of a text is the
    secret: an integer that nobody can tell from the text.
    """

    def __init__(self, records: Iterable[Record], digest: Callable[[str], int]) -> None:
        self._digest = digest
        self._regions = [HOME]
        house: set[str] = set()
        patterns: set[str] = set()
        for record in records:
            event = record.event
            house.update(_of_the_house(event))
            patterns.update(_ruling(event))
            self._note_region(event)
        self._house = {self._parted(number)[0] for number in house}
        self._known: dict[str, str] = {}
        self._taken: set[str] = set()
        # What rules begin with, and what stands there in its place; from the shortest on.
        self._nodes: dict[str, str] = {}
        self._images: dict[str, str] = {}
        keyed = {self._node(pattern) for pattern in patterns}
        for key, harmless in sorted(keyed, key=lambda each: (len(each[0]), each)):
            stays = len(key) <= harmless or any(number.startswith(key) for number in self._house)
            image = key if stays else self._made(*self._parted(key))
            self._nodes[key] = image
            self._images[image] = image

    def is_of_the_house(self, text: str) -> bool:
        """Whether this is a number or an extension of ours."""
        return self._parted(text)[0] in self._house

    def text(self, text: str) -> str:
        """The number with other digits, and the signs between them."""
        key, area = self._parted(text)
        if key in self._house:
            return text
        if key not in self._known:
            self._known[key] = self._nodes.get(key) or self._made(key, area)
        return _with_digits(text, self._known[key][area:])

    def event(self, event: Event) -> Event:
        """What was configured, its rules for the numbers as they are now."""
        return _ruled(event, self._pattern)

    # --- rules -------------------------------------------------------------------------------------------------------
    def _pattern(self, pattern: str) -> str:
        key, _ = self._node(pattern)
        image = self._nodes.get(key, key)
        return pattern if image == key else _with_digits(pattern, image[self._parted(key)[1] :])

    def _node(self, pattern: str) -> tuple[str, int]:
        """The beginning that a rule asks for, in the form in which numbers are compared; and how long one may stay."""
        region = self._regions[-1]
        text = spelling.prefix_meant(pattern.removesuffix(ANY), region)
        if not text.startswith("+") and len(text) > _HARMLESS:
            text, area = spelling.parted(spelling.with_country(text, region), region)
            if area <= len(spelling.with_country("", region)):
                text = pattern.removesuffix(ANY)
        if not text.startswith("+"):
            return text, _HARMLESS
        key, area = spelling.parted(text, region)
        return key, max(area, len(spelling.with_country("", region)) + _HARMLESS)

    def _note_region(self, event: Event) -> None:
        region = event.region if isinstance(event, OutsideConfigured | BranchConfigured) else ""
        if region and region not in self._regions:
            # That of the site, by which numbers without a country are read, is the last.
            self._regions.insert(len(self._regions) if isinstance(event, OutsideConfigured) else 0, region)

    # --- one number --------------------------------------------------------------------------------------------------
    def _parted(self, text: str) -> tuple[str, int]:
        return spelling.parted(text, self._regions[-1])

    def _made(self, key: str, area: int) -> str:
        """Another number of the same country and area, to which the same rules fit, and nobody else's."""
        rules = [self._nodes[key[:size]] for size in range(1, len(key) + 1) if key[:size] in self._nodes]
        image = rules[-1] if rules else ""
        kept = image if len(image) > area else key[:area]
        rest = len(key) - len(kept)
        if not rest:
            return key  # nothing of it is a subscriber's
        wanted = self._sense(key)
        made = fits = ""
        for turn in range(_TRIES):
            made = f"{kept}{self._digest(f'{key} {turn}') % 10**rest:0{rest}}"
            same = rules == [made[:size] for size in range(1, len(made) + 1) if made[:size] in self._images]
            if not same or made == key or made in self._taken or made in self._house:
                continue
            fits = made
            if self._sense(made) == wanted:
                break
        made = fits or made
        self._taken.add(made)
        return made

    def _sense(self, key: str) -> tuple[object, ...]:
        """What those ask of a number who would call it."""
        forms = [key]
        if key.startswith("+"):
            home = self._regions[-1]
            forms += [spelling.at_home(key, home), spelling.without_country(key, home)]
        forms = list(dict.fromkeys(forms))
        short = [rule for rule in self._images if not rule.startswith("+")]
        meanings = [spelling.meant(form, region) for region in self._regions for form in forms if form]
        return (
            [("none", "it", "typed")[(meant == key) + 2 * (meant not in (key, ""))] for meant in meanings],
            [[rule for rule in short if form.startswith(rule)] for form in forms],
        )


def _with_digits(text: str, digits: str) -> str:
    """The text with these digits as its last ones."""
    places = [place for place, sign in enumerate(text) if sign in "0123456789"]
    letters = list(text)
    for place, digit in zip(reversed(places), reversed(digits), strict=False):
        letters[place] = digit
    return "".join(letters)


def _of_the_house(event: Event) -> Iterable[str]:
    """Numbers and extensions that are ours."""
    match event:
        case AgentConfigured(number=number, extension=extension):
            return (number, extension)
        case EntryPointConfigured(numbers=numbers):
            return (number for number in numbers if not number.endswith(ANY))
        case OutsideConfigured():
            shown = (event.show, *event.show_for.values(), *event.show_at.values())
            return (number for number in shown if number)
    return ()


def _ruling(event: Event) -> Iterable[str]:
    """The beginnings of numbers for which this holds."""
    found: list[str] = []

    def note(pattern: str) -> str:
        found.append(pattern)
        return pattern

    _ruled(event, note)
    return found


def _ruled(event: Event, change: Callable[[str], str]) -> Event:
    """The event with each beginning of a number for which it holds changed so."""

    def all_of(patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(change, patterns))

    match event:
        case EntryPointConfigured(callers=callers):
            return replace(event, callers=all_of(callers))
        case BranchConfigured(prefixes=prefixes):
            return replace(event, prefixes=all_of(prefixes))
        case OutsideConfigured(allowed=allowed, refused=refused):
            return replace(event, allowed=all_of(allowed), refused=all_of(refused))
        case RewriteConfigured(of="caller", match=match, prepend=prepend):
            return replace(event, match=change(match), prepend=change(prepend))
    return event
