"""`python -m freeswitch.prompts FOLDER [--again]`: make the music and every prompt below FOLDER."""

import argparse
import sys
from pathlib import Path

from freeswitch.prompts.music import music
from freeswitch.prompts.sound import write_wav
from freeswitch.prompts.speak import prompts, speak, speaker


def make(folder: Path, *, again: bool = False) -> list[str]:
    """Make what is missing below `folder` (all of it when `again`); returns one line for each file made."""
    lines = []
    piece = folder / "music" / "waiting.wav"
    if again or not piece.exists():
        write_wav(piece, music())
        lines.append(f"{piece.relative_to(folder)}: composed")
    program = speaker()
    for prompt in prompts():
        path = folder / prompt.language / f"{prompt.name}.wav"
        if again or not path.exists():
            instead = f"{'silence' if prompt.silent else 'tones'} (install espeak-ng to hear words)"
            lines.append(f"{path.relative_to(folder)}: {'spoken' if speak(prompt, path, program) else instead}")
    return lines


def main() -> int:
    """Command line of the above; returns 0."""
    parser = argparse.ArgumentParser(prog="python -m freeswitch.prompts", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--again", action="store_true", help="also replace files that exist")
    given = parser.parse_args()
    for line in make(given.folder, again=given.again):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
