-- Money: a charge for each generation, what each owner has spent and reserved lately, caps, and
-- the keys under which programs spend.

CREATE TABLE charges (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    key_id UUID,
    kind VARCHAR NOT NULL CHECK (kind IN ('text', 'image', 'video')),
    model VARCHAR NOT NULL,
    state VARCHAR NOT NULL CHECK (state IN ('reserved', 'settled', 'released')),
    estimate_usd DECIMAL(18, 10),
    reserved_usd DECIMAL(18, 10) NOT NULL,
    cost_usd DECIMAL(18, 10) NOT NULL,
    is_estimated BOOLEAN NOT NULL,
    known_usd DECIMAL(18, 10),
    generation_ids JSON NOT NULL,
    is_free_unless_found BOOLEAN NOT NULL,
    closes_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP
);

CREATE TABLE spend_limits (
    owner VARCHAR PRIMARY KEY,
    usd_day DECIMAL(18, 10),
    usd_month DECIMAL(18, 10)
);

CREATE TABLE api_keys (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    name VARCHAR NOT NULL,
    prefix VARCHAR NOT NULL,
    digest VARCHAR NOT NULL UNIQUE,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    usd_month DECIMAL(18, 10),
    last_used_at TIMESTAMP
);

-- What was generated before there was a ledger, at the cost that the provider reported.
INSERT INTO charges
SELECT id, user_id, NULL, kind, model, 'settled', NULL, 0, cost_usd, false, NULL, '[]', false, NULL,
    created_at, created_at
FROM (
    SELECT id, user_id, 'text' AS kind, model, cost_usd, created_at FROM generated_texts
    UNION ALL
    SELECT id, user_id, 'image', model, cost_usd, created_at FROM generated_images
    UNION ALL
    SELECT id, user_id, 'video', model, cost_usd, created_at FROM generated_videos
) AS generated
WHERE cost_usd IS NOT NULL;

-- Whoever owns the database keeps the tallies exact in memory and writes none of them: at the
-- start they are what the charges of the latest month say.
CREATE VIEW tallies AS
WITH owned AS (
    SELECT unnest([
            CAST(user_id AS VARCHAR),
            CAST(key_id AS VARCHAR),
            CASE WHEN EXISTS (SELECT 1 FROM spend_limits WHERE owner = 'house') THEN 'house' END
        ]) AS owner,
        CAST(created_at AS DATE) AS day,
        cost_usd AS spent,
        CASE WHEN state = 'reserved' THEN reserved_usd ELSE 0 END AS reserved
    FROM charges
    WHERE created_at >= (SELECT date_trunc('month', max(created_at)) FROM charges)
), dated AS (
    SELECT *, max(day) OVER (PARTITION BY owner) AS latest FROM owned WHERE owner IS NOT NULL
)
SELECT owner, latest AS day,
    CAST(sum(CASE WHEN day = latest THEN spent ELSE 0 END) AS DECIMAL(18, 10)) AS spent_day,
    CAST(sum(CASE WHEN day = latest THEN reserved ELSE 0 END) AS DECIMAL(18, 10)) AS reserved_day,
    CAST(sum(spent) AS DECIMAL(18, 10)) AS spent_month,
    CAST(sum(reserved) AS DECIMAL(18, 10)) AS reserved_month
FROM dated
GROUP BY owner, latest;
