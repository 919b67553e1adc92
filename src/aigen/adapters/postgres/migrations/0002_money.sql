-- Money: a charge for each generation, what each owner has spent and reserved lately, caps, and
-- the keys under which programs spend.

CREATE TABLE charges (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    key_id uuid,
    kind text NOT NULL CHECK (kind IN ('text', 'image', 'video')),
    model text NOT NULL,
    state text NOT NULL CHECK (state IN ('reserved', 'settled', 'released')),
    estimate_usd numeric(18, 10),
    reserved_usd numeric(18, 10) NOT NULL,
    cost_usd numeric(18, 10) NOT NULL,
    is_estimated boolean NOT NULL,
    known_usd numeric(18, 10),
    generation_ids text NOT NULL,
    is_free_unless_found boolean NOT NULL,
    closes_at timestamp,
    created_at timestamp NOT NULL,
    ended_at timestamp
);
CREATE INDEX charges_open ON charges (closes_at) WHERE state = 'reserved';
CREATE INDEX charges_of_user ON charges (user_id, created_at);
CREATE INDEX charges_by_time ON charges (created_at);

CREATE TABLE tallies (
    owner text PRIMARY KEY,
    day date NOT NULL,
    spent_day numeric(18, 10) NOT NULL,
    reserved_day numeric(18, 10) NOT NULL,
    spent_month numeric(18, 10) NOT NULL,
    reserved_month numeric(18, 10) NOT NULL
);

CREATE TABLE spend_limits (
    owner text PRIMARY KEY,
    usd_day numeric(18, 10),
    usd_month numeric(18, 10)
);

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    digest text NOT NULL UNIQUE,
    created_at timestamp NOT NULL,
    expires_at timestamp,
    usd_month numeric(18, 10),
    last_used_at timestamp
);
CREATE INDEX api_keys_of_user ON api_keys (user_id);

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
