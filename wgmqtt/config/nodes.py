"""YAML text to nodes with their places."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from sys import intern
from typing import cast

import yaml

from wgmqtt.errors import ConfigError, Problem
from wgmqtt.problems import Source
from wgmqtt.wire.text import clip

MAX_DEPTH, MAX_GOT = 16, 60  # levels, of which a configuration needs 5; characters of a value in a message
_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
# What YAML 1.1, section 5.1, does not allow in a stream.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. `at` is its index in the text; `is_plain`: without quotes, so YAML may not read it as text."""

    at: int = field(compare=False)
    text: str
    is_plain: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Block:
    """A list, or a mapping, whose children are its keys and values in turn."""

    at: int
    is_mapping: bool
    children: list["Scalar | Block"] = field(default_factory=list)


Node = Scalar | Block


def compose(source: Source) -> Node:
    """Return the root node of the YAML text (YAML 1.1, as PyYAML reads it).

    Raises:
        ConfigError: the text is empty, not YAML, or has tags, anchors, aliases or merges.
    """
    if stray := _UNPRINTABLE.search(source.text):
        source.reject(stray.start(), "character not allowed in YAML", got=f"U+{ord(stray.group()):04X}")
        source.raise_problems()
    documents = Block(0, is_mapping=False)
    try:
        _build(documents, source)
    except yaml.YAMLError as error:
        _reject_syntax(error, source)
    source.raise_problems()
    if not documents.children:
        raise ConfigError(Problem(source.where, "the file is empty", hint="start from config.example.yaml"))
    return documents.children[0]


def _build(documents: Block, source: Source) -> None:
    """Add the root node of the text to `documents`."""
    blocks = [documents]  # those that are not closed yet
    for event in yaml.parse(source.text, Loader=_LOADER):
        parent, mark = blocks[-1], cast("yaml.Mark", event.start_mark)
        if isinstance(event, yaml.NodeEvent):
            for what, got, hint in _unsupported(event, parent):
                source.reject(mark.index, f"YAML {what} are not supported", got=clip(got, MAX_GOT), hint=hint)
        if isinstance(event, yaml.ScalarEvent):
            parent.children.append(Scalar(mark.index, intern(event.value), event.implicit[0]))
        elif isinstance(event, yaml.AliasEvent):
            parent.children.append(Scalar(mark.index, ""))
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(blocks) > MAX_DEPTH:
                raise yaml.MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=mark)
            blocks.append(Block(mark.index, isinstance(event, yaml.MappingStartEvent)))
            parent.children.append(blocks[-1])
        elif isinstance(event, yaml.CollectionEndEvent):
            blocks.pop()
        elif isinstance(event, yaml.DocumentStartEvent) and parent.children:
            raise yaml.MarkedYAMLError(problem="a second document begins here", problem_mark=mark)


def _unsupported(event: yaml.NodeEvent, parent: Block) -> Iterator[tuple[str, str, str]]:
    """Yield what of YAML this node uses that a configuration may not, as what, got and hint."""
    share = "write what routers share below router_defaults"
    if isinstance(event, yaml.AliasEvent):
        yield "aliases", f"*{event.anchor}", share
        return
    if event.anchor is not None:
        yield "anchors", f"&{event.anchor}", share
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
        yield "tags", event.tag.replace("tag:yaml.org,2002:", "!!"), "write the value without a tag"
    is_key = parent.is_mapping and len(parent.children) % 2 == 0
    if is_key and isinstance(event, yaml.ScalarEvent) and event.implicit[0] and event.value == "<<":
        yield "merges", "<<", share


def _reject_syntax(error: yaml.YAMLError, source: Source) -> None:
    """Note what PyYAML found, in its words, with the line on which the unfinished part begins."""
    at, what = 0, str(error)
    if isinstance(error, yaml.MarkedYAMLError):
        begin, mark = error.context_mark, error.problem_mark or error.context_mark
        context = f"{error.context} (line {begin.line + 1})" if begin is not None else error.context
        what = ": ".join(part for part in (context, error.problem) if part)
        at = 0 if mark is None else min(mark.index, len(source.text))
    tab = source.text[at : at + 1] == "\t"
    source.reject(at, f"not valid YAML: {what}", hint="this is a tab; indent with spaces" if tab else "")


def render_got(node: Node) -> str:
    """Return the value of `node` as a message quotes it."""
    if isinstance(node, Block):
        return "keys and values" if node.is_mapping else "a list"
    return clip(node.text if node.is_plain else repr(node.text), MAX_GOT)
