"""The values that lists are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Tool:
    id: int
    name: str
    category_id: int | None
    note: str | None
    condition: str | None


@dataclass(frozen=True, slots=True)
class Member:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Loan:
    id: int
    tool_id: int | None
    member_id: int | None
    lent_on: date
    due_on: date | None
    returned_on: date | None


@dataclass(frozen=True, slots=True)
class OpenLoan:
    """`member` is the name, or None when the member has left."""

    id: int
    tool: str
    member: str | None
    due_on: date | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    id: int
    name: str
    loans: int
    open_loans: int
    unpaid_cents: int


@dataclass(frozen=True, slots=True)
class CategoryRow:
    id: int | None
    name: str | None
    tools: int
    on_loan: int


@dataclass(frozen=True, slots=True)
class PopularRow:
    tool_id: int
    name: str
    loans: int


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of a list; `next` is what `after` takes to go on."""

    items: tuple[Item, ...]
    next: str | None
