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

CREATE TABLE tallies (
    owner VARCHAR PRIMARY KEY,
    day DATE NOT NULL,
    spent_day DECIMAL(18, 10) NOT NULL,
    reserved_day DECIMAL(18, 10) NOT NULL,
    spent_month DECIMAL(18, 10) NOT NULL,
    reserved_month DECIMAL(18, 10) NOT NULL
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
