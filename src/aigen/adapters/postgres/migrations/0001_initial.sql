-- Times are UTC. No foreign keys: what belongs to whom is decided by the rules, as in DuckDB's
-- schema, and their checks would lock users against each other's work. JSON is kept as text, since
-- jsonb refuses characters that a provider may send.

CREATE TABLE users (
    id uuid PRIMARY KEY,
    email text NOT NULL,
    identity text NOT NULL,
    password_hash text NOT NULL,
    role text NOT NULL CHECK (role IN ('user', 'admin')),
    created_at timestamp NOT NULL,
    last_login_at timestamp,
    -- Deferred: an identity may pass from one user to another in one change.
    UNIQUE (identity) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX users_admins ON users (id) WHERE role = 'admin';

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    current_jti uuid NOT NULL,
    created_at timestamp NOT NULL,
    ends_at timestamp NOT NULL,
    ended_at timestamp
);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (ends_at);

CREATE TABLE refresh_tokens (
    jti uuid PRIMARY KEY,
    session_id uuid NOT NULL,
    user_id uuid NOT NULL,
    issued_at timestamp NOT NULL,
    expires_at timestamp NOT NULL,
    revoked_at timestamp,
    replaced_by uuid,
    rotation_key text
);
CREATE INDEX refresh_tokens_of_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE reset_links (
    digest text PRIMARY KEY,
    user_id uuid NOT NULL,
    expires_at timestamp NOT NULL
);
CREATE INDEX reset_links_of_user ON reset_links (user_id);
CREATE INDEX reset_links_by_expiry ON reset_links (expires_at);

CREATE TABLE failed_logins (
    subject text PRIMARY KEY,
    count integer NOT NULL,
    since timestamp NOT NULL,
    blocked_until timestamp
);
CREATE INDEX failed_logins_by_age ON failed_logins (COALESCE(blocked_until, since));

CREATE TABLE idempotency_keys (
    user_id uuid NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    object_id uuid NOT NULL,
    created_at timestamp NOT NULL,
    attempt text NOT NULL CHECK (attempt IN ('running', 'done', 'unknown')),
    gives_up_at timestamp NOT NULL,
    is_deferred boolean NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE generated_texts (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    model text NOT NULL,
    prompt text NOT NULL,
    text text NOT NULL,
    finish_reason text,
    usage json NOT NULL,
    cost_usd numeric(18, 10),
    created_at timestamp NOT NULL
);
CREATE INDEX generated_texts_of_user ON generated_texts (user_id, id);

CREATE TABLE generated_images (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    model text NOT NULL,
    prompt text NOT NULL,
    status text NOT NULL CHECK (status IN ('processing', 'completed', 'failed')),
    created_at timestamp NOT NULL,
    input_image json,
    pictures json NOT NULL,
    text text,
    cost_usd numeric(18, 10),
    error text,
    error_code text
);
CREATE INDEX generated_images_of_user ON generated_images (user_id, id);
CREATE INDEX generated_images_at_work ON generated_images (id) WHERE status = 'processing';

CREATE TABLE generated_videos (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    generation_type text NOT NULL CHECK (generation_type IN ('text_to_video', 'image_to_video')),
    status text NOT NULL CHECK (
        status IN ('queued', 'submitting', 'processing', 'completed', 'failed', 'cancelled')
    ),
    model text NOT NULL,
    prompt text NOT NULL,
    aspect_ratio text,
    resolution text,
    duration integer,
    generate_audio boolean,
    seed bigint,
    first_frame json,
    last_frame json,
    retry_of uuid,
    is_held boolean NOT NULL,
    worker_id uuid,
    epoch bigint NOT NULL,
    attempts integer NOT NULL,
    nonce text,
    provider_job_id text,
    polling_url text,
    media json,
    may_be_charged boolean NOT NULL,
    cost_usd numeric(18, 10),
    error text,
    error_code text,
    created_at timestamp NOT NULL,
    updated_at timestamp NOT NULL,
    submitted_at timestamp,
    finished_at timestamp,
    not_before timestamp NOT NULL,
    deadline_at timestamp NOT NULL,
    -- In which round of the users the job has its turn; see take_turn.
    turn bigint NOT NULL DEFAULT 0
);
CREATE INDEX generated_videos_of_user ON generated_videos (user_id, id);
CREATE INDEX generated_videos_unfinished ON generated_videos (user_id, id)
    WHERE status IN ('queued', 'submitting', 'processing');
CREATE INDEX generated_videos_queue ON generated_videos (turn, id)
    WHERE status = 'queued' AND NOT is_held;
CREATE INDEX generated_videos_by_deadline ON generated_videos (deadline_at)
    WHERE status = 'queued' AND NOT is_held;
CREATE INDEX generated_videos_at_work ON generated_videos (worker_id, id)
    WHERE status IN ('submitting', 'processing');
CREATE INDEX generated_videos_unknown ON generated_videos (id)
    WHERE error_code = 'submission_outcome_unknown';
CREATE INDEX generated_videos_held ON generated_videos (id) WHERE is_held;
-- A queue is rewritten all day: clean up behind it often.
ALTER TABLE generated_videos SET (
    fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000
);

CREATE TABLE provider_jobs (
    provider_job_id text PRIMARY KEY,
    video_id uuid NOT NULL,
    user_id uuid NOT NULL
);
CREATE INDEX provider_jobs_of_user ON provider_jobs (user_id);

CREATE TABLE workers (
    worker_id uuid PRIMARY KEY,
    expires_at timestamp NOT NULL,
    is_inside boolean NOT NULL,
    trouble text
);

CREATE TABLE media_removals (
    prefix text PRIMARY KEY
);

CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    happened_at timestamp NOT NULL,
    action text NOT NULL,
    actor_id uuid,
    target_id uuid,
    address text,
    details json NOT NULL
);

-- Going round the users (start-time fair queueing): a new job takes the turn after its owner's last
-- waiting one, but at the earliest the one after that which is being served. Whoever asks for the
-- lowest turns first serves everybody once before anybody twice, at the cost of reading as many
-- rows as are taken. The turn being served is a sequence, since it may be wrong for a moment but
-- must not make transactions wait.
CREATE SEQUENCE turn_being_served MINVALUE 0;
SELECT setval('turn_being_served', 0);

CREATE FUNCTION take_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.turn := GREATEST(
        (SELECT last_value + 1 FROM turn_being_served),
        (SELECT max(turn) + 1 FROM generated_videos
            WHERE user_id = NEW.user_id AND status = 'queued')
    );
    RETURN NEW;
END
$$;
CREATE TRIGGER take_turn BEFORE INSERT ON generated_videos FOR EACH ROW
    WHEN (NEW.status = 'queued') EXECUTE FUNCTION take_turn();

CREATE FUNCTION pass_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.turn > (SELECT last_value FROM turn_being_served) THEN
        PERFORM setval('turn_being_served', OLD.turn);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER pass_turn AFTER UPDATE OF status ON generated_videos FOR EACH ROW
    WHEN (OLD.status = 'queued' AND NEW.status = 'submitting') EXECUTE FUNCTION pass_turn();
