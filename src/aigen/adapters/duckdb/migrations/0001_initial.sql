-- Times are UTC. No foreign keys (DuckDB cannot delete parent and child in one transaction), no
-- secondary index (a changing column with one is rewritten as delete and insert).

CREATE TABLE users (
    id UUID PRIMARY KEY,
    email VARCHAR NOT NULL,
    identity VARCHAR NOT NULL UNIQUE,
    password_hash VARCHAR NOT NULL,
    role VARCHAR NOT NULL CHECK (role IN ('user', 'admin')),
    created_at TIMESTAMP NOT NULL,
    last_login_at TIMESTAMP
);

CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    current_jti UUID NOT NULL,
    created_at TIMESTAMP NOT NULL,
    ends_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP
);

CREATE TABLE refresh_tokens (
    jti UUID PRIMARY KEY,
    session_id UUID NOT NULL,
    user_id UUID NOT NULL,
    issued_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    revoked_at TIMESTAMP,
    replaced_by UUID,
    rotation_key VARCHAR
);

CREATE TABLE reset_links (
    digest VARCHAR PRIMARY KEY,
    user_id UUID NOT NULL,
    expires_at TIMESTAMP NOT NULL
);

CREATE TABLE failed_logins (
    subject VARCHAR PRIMARY KEY,
    count INTEGER NOT NULL,
    since TIMESTAMP NOT NULL,
    blocked_until TIMESTAMP
);

CREATE TABLE idempotency_keys (
    user_id UUID NOT NULL,
    key VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    object_id UUID NOT NULL,
    created_at TIMESTAMP NOT NULL,
    attempt VARCHAR NOT NULL CHECK (attempt IN ('running', 'done', 'unknown')),
    gives_up_at TIMESTAMP NOT NULL,
    is_deferred BOOLEAN NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE TABLE generated_texts (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    model VARCHAR NOT NULL,
    prompt VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    finish_reason VARCHAR,
    usage JSON NOT NULL,
    cost_usd DECIMAL(18, 10),
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE generated_images (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    model VARCHAR NOT NULL,
    prompt VARCHAR NOT NULL,
    status VARCHAR NOT NULL CHECK (status IN ('processing', 'completed', 'failed')),
    created_at TIMESTAMP NOT NULL,
    input_image JSON,
    pictures JSON NOT NULL,
    text VARCHAR,
    cost_usd DECIMAL(18, 10),
    error VARCHAR,
    error_code VARCHAR
);

CREATE TABLE generated_videos (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    generation_type VARCHAR NOT NULL CHECK (generation_type IN ('text_to_video', 'image_to_video')),
    status VARCHAR NOT NULL CHECK (
        status IN ('queued', 'submitting', 'processing', 'completed', 'failed', 'cancelled')
    ),
    model VARCHAR NOT NULL,
    prompt VARCHAR NOT NULL,
    aspect_ratio VARCHAR,
    resolution VARCHAR,
    duration INTEGER,
    generate_audio BOOLEAN,
    seed BIGINT,
    first_frame JSON,
    last_frame JSON,
    retry_of UUID,
    is_held BOOLEAN NOT NULL,
    worker_id UUID,
    epoch BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    nonce VARCHAR,
    provider_job_id VARCHAR,
    polling_url VARCHAR,
    media JSON,
    may_be_charged BOOLEAN NOT NULL,
    cost_usd DECIMAL(18, 10),
    error VARCHAR,
    error_code VARCHAR,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    submitted_at TIMESTAMP,
    finished_at TIMESTAMP,
    not_before TIMESTAMP NOT NULL,
    deadline_at TIMESTAMP NOT NULL
);

CREATE TABLE provider_jobs (
    provider_job_id VARCHAR PRIMARY KEY,
    video_id UUID NOT NULL,
    user_id UUID NOT NULL
);

CREATE TABLE workers (
    worker_id UUID PRIMARY KEY,
    expires_at TIMESTAMP NOT NULL,
    is_inside BOOLEAN NOT NULL,
    trouble VARCHAR
);

CREATE TABLE media_removals (
    prefix VARCHAR PRIMARY KEY
);

CREATE TABLE audit_log (
    id UUID PRIMARY KEY,
    happened_at TIMESTAMP NOT NULL,
    action VARCHAR NOT NULL,
    actor_id UUID,
    target_id UUID,
    address VARCHAR,
    details JSON NOT NULL
);
