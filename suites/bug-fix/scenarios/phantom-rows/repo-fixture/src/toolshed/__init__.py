"""A lending library for tools."""

from toolshed.errors import (
    AlreadyLent,
    BadCursor,
    NotLendable,
    NotOpen,
    TooManyLoans,
    ToolshedError,
    Unknown,
)
from toolshed.library import Library, open_library
from toolshed.model import (
    CategoryRow,
    Loan,
    Member,
    MemberRow,
    OpenLoan,
    Page,
    PopularRow,
    Tool,
)

__all__ = [
    "AlreadyLent",
    "BadCursor",
    "CategoryRow",
    "Library",
    "Loan",
    "Member",
    "MemberRow",
    "NotLendable",
    "NotOpen",
    "OpenLoan",
    "Page",
    "PopularRow",
    "TooManyLoans",
    "Tool",
    "ToolshedError",
    "Unknown",
    "open_library",
]
