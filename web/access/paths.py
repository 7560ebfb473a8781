"""Where somebody may be sent on to: nowhere but to pages of ours."""

from flask import request, url_for


def own_path(text: str) -> str:
    """The path if it is one of ours, else that of the start page: nobody is sent elsewhere by a link to us."""
    ours = text.startswith("/") and not text.startswith("//")
    plain = ours and all(character.isprintable() and character != "\\" for character in text)
    return text if plain else url_for("home.start")


def onward() -> str:
    """The page that the current form was on, as it says itself; the start page where it does not."""
    return own_path(request.form.get("next", ""))
