"""Reports as Parquet files, which other programs read with types and all."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import duckdb

from aigen.domain.model.ledger import SpentBy


def parquet(lines: Sequence[SpentBy]) -> bytes:
    """The lines of a report as a Parquet file; money as DECIMAL(18, 10)."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as memory:
        file = Path(folder) / "report.parquet"
        memory.execute(
            "CREATE TABLE report"
            " (key VARCHAR, label VARCHAR, count BIGINT, cost_usd DECIMAL(18, 10))"
        )
        rows = [[line.key, line.label, line.count, line.cost_usd] for line in lines]
        if rows:
            memory.executemany("INSERT INTO report VALUES (?, ?, ?, ?)", rows)
        memory.execute(f"COPY report TO '{file}' (FORMAT parquet)")
        return file.read_bytes()
