"""A server's config.xml: port, key and URL base, as the real ones keep them.

Written by the stack when a world is made (and by the `config` of a world), read by the server at each start, so that a
restart with another URL base behaves as the recordings show.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """The settings that have an effect here."""

    port: int
    api_key: str
    url_base: str
    instance_name: str
    authentication: str


def read_config(path: Path) -> Config:
    """The configuration in a config.xml; every setting but Port and ApiKey may be missing."""
    root = ET.parse(path).getroot()  # noqa: S314 - see above

    def text(name: str, default: str = "") -> str:
        return (root.findtext(name) or default).strip()

    base = text("UrlBase").strip("/")
    return Config(
        port=int(text("Port", "0")),
        api_key=text("ApiKey"),
        url_base=f"/{base}" if base else "",
        instance_name=text("InstanceName"),
        authentication=text("AuthenticationMethod", "External").lower(),
    )


def write_config(path: Path, values: dict[str, str]) -> None:
    """Writes settings over what the file holds; it need not exist."""
    root = ET.parse(path).getroot() if path.exists() else ET.Element("Config")  # noqa: S314 - see above
    for name, value in values.items():
        found = root.find(name)
        element = found if found is not None else ET.SubElement(root, name)
        element.text = str(value)
    ET.indent(root)
    fresh = path.with_suffix(".new")
    ET.ElementTree(root).write(fresh, encoding="utf-8")
    fresh.chmod(0o644)
    fresh.replace(path)
