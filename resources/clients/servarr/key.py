"""The API key out of an app's own config.xml. The file is read as hostile: no DTD, no entities, no size without end."""

from __future__ import annotations

from pathlib import Path
from xml.parsers import expat

from reconciler.connection import remember_secret
from reconciler.facts import ReadFailed

_CAP = 1 << 20


def key_from_config(path: str) -> str:
    """The text of `<Config><ApiKey>`. `ReadFailed("secret", …)` says what is wrong with the file."""
    file = Path(path).expanduser()
    try:
        with file.open("rb") as stream:
            text = stream.read(_CAP + 1)
    except OSError as e:
        remedy = "mount it where this program runs, make it readable, or give api_key instead"
        raise ReadFailed("secret", f"{file} cannot be read ({e.strerror})", remedy) from None
    if len(text) > _CAP:
        raise ReadFailed("secret", f"{file} is over 1 MiB: no config.xml of these apps", "correct config_xml")
    try:
        key = _api_key(text)
    except (expat.ExpatError, ValueError, LookupError) as e:  # the last: an encoding that nobody knows
        raise ReadFailed("secret", f"{file} is no config.xml ({e})", "correct config_xml") from None
    if not key:
        remedy = "start the app once, so that it makes itself a key; or give api_key instead"
        raise ReadFailed("secret", f"{file} holds no <ApiKey>", remedy)
    return remember_secret(key)


def _api_key(text: bytes) -> str:
    inside: list[str] = []
    found: list[str] = []

    def start(name: str, _attributes: dict[str, str]) -> None:
        inside.append(name)

    def data(part: str) -> None:
        if inside == ["Config", "ApiKey"]:
            found.append(part)

    def refuse(*_declaration: object) -> None:
        raise ValueError("it declares a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _name: inside.pop()
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(text, True)
    return "".join(found).strip()
