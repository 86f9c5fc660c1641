"""The tables as queries see them; `migrations` makes them, a test holds the two equal."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

MIGRATIONS = Table(
    "migrations",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
)

BATCHES = Table(
    "batches",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("created_at", Text, nullable=False),
)

PLANNED = Table(
    "planned",
    METADATA,
    Column("batch", Text, ForeignKey("batches.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("cell", Text, nullable=False),
    Column("iteration", Integer, nullable=False),
    Column("spec_digest", Text, nullable=False),
    Column("settings", Text, nullable=False),
    UniqueConstraint("batch", "cell", "iteration"),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("batch", Text, ForeignKey("batches.id"), nullable=False),
    Column("cell", Text, nullable=False),
    Column("iteration", Integer, nullable=False),
    Column("suite", Text, nullable=False),
    Column("scenario", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("model", Text),
    Column("specialist", Text),
    Column("specialist_version", Text),
    Column("status", Text, nullable=False),
    Column("cause", Text),
    Column("total_score", Double),
    Column("threshold", Double, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("simulated", Boolean, nullable=False),
    Column("cost_usd", Double),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text, nullable=False),
    Column("spec_digest", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("drawn_usd", Double),
    Column("drawn_least_usd", Double, nullable=False),
    Column("drawn_tokens", BigInteger, nullable=False),
    Column("task_digest", Text),
    Column("fixture", Text),
    Column("faulted", Boolean),
    Column("partly_graded", Boolean),
    Column("session_s", Double),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("cache_write_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("graders", Text),
    Column("check_scores", Text),
    Column("asked", Text),
    Column("judging", Text),
    Column("reused", Text),
)

CLAIMS = Table(
    "claims",
    METADATA,
    Column("batch", Text, primary_key=True),
    Column("cell", Text, primary_key=True),
    Column("iteration", Integer, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("until", Text, nullable=False),
    ForeignKeyConstraint(
        ["batch", "cell", "iteration"], ["planned.batch", "planned.cell", "planned.iteration"]
    ),
)

CHECKS = Table(
    "checks",
    METADATA,
    Column("run", Text, ForeignKey("runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("score", Double),
    Column("weight", Double, nullable=False),
    Column("required", Boolean, nullable=False),
    Column("level", Text),
    Column("duration_s", Double, nullable=False),
)

REVIEWS = Table(
    "reviews",
    METADATA,
    Column("run", Text, ForeignKey("runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("made_at", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("is_human", Boolean, nullable=False),
    Column("rubric", Text, nullable=False),
    Column("score", Double, nullable=False),
    Column("document", Text, nullable=False),
)

CONTROLS = Table(
    "controls",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("document", Text, nullable=False),
)
