"""Reads small XML documents into plain nodes."""

from dataclasses import dataclass
from xml.etree import ElementTree

__version__ = "2.0.0"


@dataclass(frozen=True)
class Node:
    """An element; tags and attribute names are in lower case."""

    tag: str
    attributes: dict[str, str]
    text: str
    children: "tuple[Node, ...]"


def read(text: str) -> Node:
    """The root element."""
    return _node(ElementTree.fromstring(text))


def _node(element: ElementTree.Element) -> Node:
    children = tuple(_node(child) for child in element)
    attributes = {name.lower(): value for name, value in element.attrib.items()}
    text = (element.text or "").strip()
    return Node(element.tag.lower(), attributes, text, children)
