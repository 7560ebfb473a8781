"""What callers hear, made on this machine at install: music of our own, and prompts spoken by espeak-ng where it is.

`python -m freeswitch.prompts FOLDER` makes both. The texts stand in en.toml, zh.toml and yue.toml; no sound is
committed, and an operator replaces any of them by a recording of the same name.
"""
