-- How many files a generation has and how many bytes they take, so that what a user keeps can be
-- added up without reading every picture's description; and what is oldest, for whatever is kept
-- for some days only.

ALTER TABLE generated_images
    ADD COLUMN file_count integer NOT NULL DEFAULT 0,
    ADD COLUMN file_bytes bigint NOT NULL DEFAULT 0;
ALTER TABLE generated_videos
    ADD COLUMN file_count integer NOT NULL DEFAULT 0,
    ADD COLUMN file_bytes bigint NOT NULL DEFAULT 0;

UPDATE generated_images SET
    file_count = json_array_length(pictures)
        + (input_image #>> '{stored,size}' IS NOT NULL)::integer,
    file_bytes = (
            SELECT COALESCE(sum((picture ->> 'size')::bigint), 0)
            FROM json_array_elements(pictures) AS picture
        ) + COALESCE((input_image #>> '{stored,size}')::bigint, 0);

UPDATE generated_videos SET
    file_count = (media IS NOT NULL)::integer
        + (first_frame #>> '{stored,size}' IS NOT NULL)::integer
        + (last_frame #>> '{stored,size}' IS NOT NULL)::integer,
    file_bytes = COALESCE((media ->> 'size')::bigint, 0)
        + COALESCE((first_frame #>> '{stored,size}')::bigint, 0)
        + COALESCE((last_frame #>> '{stored,size}')::bigint, 0);

CREATE INDEX generated_texts_by_age ON generated_texts (created_at);
CREATE INDEX generated_images_by_age ON generated_images (created_at);
CREATE INDEX generated_videos_by_age ON generated_videos (COALESCE(finished_at, created_at))
    WHERE status IN ('completed', 'failed', 'cancelled');
