"""Prompts from their texts: spoken by espeak-ng, or, without it, the three rising tones that mean "no, not now".

The tones are the special information tone of ITU-T E.180: callers know it the world over. The parts of a sentence that
is put together while people talk are silent instead, and so is what interrupts the music: a tone for each digit, or
every minute of waiting, would only frighten.
"""

import os
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

from freeswitch.prompts.sound import silence, tone, trim_wav, write_wav

TEXTS = Path(__file__).parent
SPEAKER = "espeak-ng"
LEAST_BYTES = 1_000
"""A file smaller than this holds no word (espeak-ng writes a bare header for a voice that it lacks)."""

UNSPOKEN_S = 0.1
"""How long the silence lasts that stands for a part or a place that nobody can speak."""

COUNTED = {"place": range(1, 21), "wait": (1, 2, 3, 4, 5, 10, 15, 20, 30)}
"""Sentences with a number in them: one for each of these, made by the language's pattern unless it is given."""

PATIENCE_S = 30
"""One prompt takes a few hundredths of a second; a speaker that hangs must not hang the install."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One text in one language. `language` and `name` make its file name, LANGUAGE/NAME.wav."""

    language: str
    name: str
    voice: str
    text: str
    part: bool = False
    """Whether it is a part of a longer sentence: it begins and ends with its sound."""
    silent: bool = False
    """Whether there is silence instead of it, not a tone, where nobody can speak it."""


def prompts() -> list[Prompt]:
    """All prompts in all languages. Raises KeyError or tomllib.TOMLDecodeError for a broken text file."""
    found = []
    for path in sorted(TEXTS.glob("*.toml")):
        book = tomllib.loads(path.read_text(encoding="utf-8"))
        for table in ("prompts", "parts", "told"):
            part, silent = table == "parts", table != "prompts"
            texts = _counted(book[table]) if table == "told" else book[table]
            found += [Prompt(path.stem, name, book["voice"], text, part, silent) for name, text in texts.items()]
    return found


def _counted(told: dict[str, str]) -> dict[str, str]:
    """The sentences of a table, those that its patterns make among them: `place` becomes `place_1` and so on."""
    made = {f"{name}_{n}": told[name].format(n) for name, numbers in COUNTED.items() for n in numbers}
    return made | {name: text for name, text in told.items() if name not in COUNTED}


def speak(prompt: Prompt, path: Path, speaker: str | None) -> bool:
    """Make the prompt's WAV file; true when it was spoken, false when it became tones or silence.

    `speaker` is the program, None where there is none. One that lacks the language's voice is no better.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if speaker is not None:
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        command = [speaker, "-v", prompt.voice, "-s", "150", "-w", str(fresh), "--", prompt.text]
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)
        if done.returncode == 0 and fresh.exists() and fresh.stat().st_size > LEAST_BYTES:
            if prompt.part:
                trim_wav(fresh)
            fresh.replace(path)
            return True
        fresh.unlink(missing_ok=True)
    write_wav(path, silence(UNSPOKEN_S) if prompt.silent else information_tone())
    return False


def information_tone() -> list[float]:
    """950, 1400 and 1800 Hz, a third of a second each, twice, with a second between: samples of full scale 1."""
    once = [sample for hertz in (950, 1400, 1800) for sample in tone(hertz, 0.33)]
    return [*once, *silence(1.0), *once, *silence(0.3)]


def speaker() -> str | None:
    """The speaking program on this machine, or None."""
    return shutil.which(SPEAKER)
