"""What has been kept long enough, in SQL that both databases understand."""

from aigen.adapters.sql.rows import naive
from aigen.domain.model.retention import Expiry
from aigen.domain.model.videos import VideoError

#: All that may go, with the instant from which its time runs: as `ended_at` says it in Python.
_ENDED = f"""(
    SELECT 'text' AS kind, id, user_id, created_at AS ended_at, 0 AS file_count, 0 AS file_bytes
    FROM generated_texts
    UNION ALL
    SELECT 'image', id, user_id, created_at, file_count, file_bytes
    FROM generated_images WHERE status <> 'processing'
    UNION ALL
    SELECT 'video', id, user_id, COALESCE(finished_at, created_at), file_count, file_bytes
    FROM generated_videos
    WHERE status IN ('completed', 'failed', 'cancelled')
        AND COALESCE(error_code, '') <> '{VideoError.SUBMISSION_OUTCOME_UNKNOWN}'
)"""  # noqa: S608

_OLD = "SELECT * FROM {ended} AS ended WHERE ended_at < {before}"

#: Of each user the newest that fit stay. Only whoever has too much is looked at more closely.
_SURPLUS = """
    SELECT kind, id, user_id, ended_at, file_count, file_bytes FROM (
        SELECT *, sum(file_bytes) OVER (PARTITION BY user_id ORDER BY id DESC) AS bytes_so_far
        FROM {ended} AS ended
        WHERE user_id IN (
            SELECT user_id FROM {ended} AS everything
            GROUP BY user_id HAVING sum(file_bytes) > {most}
        )
    ) AS ranked
    WHERE bytes_so_far > {most} AND file_bytes > 0 AND ended_at < {before}
"""

_NOTHING = "SELECT * FROM {ended} AS ended WHERE false"


def expired(expiry: Expiry) -> tuple[str, tuple[object, ...]]:
    """A query for all that goes, and its parameters."""
    queries, parameters = [], list[object]()
    if expiry.ended_before is not None:
        queries.append(_OLD.format(ended=_ENDED, before="$1"))
        parameters = [naive(expiry.ended_before)]
    if expiry.bytes_per_user is not None:
        places = {"before": f"${len(parameters) + 1}", "most": f"${len(parameters) + 2}"}
        queries.append(_SURPLUS.format(ended=_ENDED, **places))
        parameters += [naive(expiry.spared_since), expiry.bytes_per_user]
    return " UNION ".join(queries) or _NOTHING.format(ended=_ENDED), tuple(parameters)
