-- How many files a generation has and how many bytes they take, so that what a user keeps can be
-- added up without reading every picture's description.

ALTER TABLE generated_images ADD COLUMN file_count INTEGER DEFAULT 0;
ALTER TABLE generated_images ADD COLUMN file_bytes BIGINT DEFAULT 0;
ALTER TABLE generated_videos ADD COLUMN file_count INTEGER DEFAULT 0;
ALTER TABLE generated_videos ADD COLUMN file_bytes BIGINT DEFAULT 0;

UPDATE generated_images SET
    file_count = json_array_length(pictures)
        + CASE WHEN json_exists(input_image, '$.stored.size') THEN 1 ELSE 0 END,
    file_bytes = COALESCE(list_sum(CAST(json_extract(pictures, '$[*].size') AS BIGINT[])), 0)
        + COALESCE(CAST(json_extract(input_image, '$.stored.size') AS BIGINT), 0);

UPDATE generated_videos SET
    file_count = CASE WHEN json_exists(media, '$.size') THEN 1 ELSE 0 END
        + CASE WHEN json_exists(first_frame, '$.stored.size') THEN 1 ELSE 0 END
        + CASE WHEN json_exists(last_frame, '$.stored.size') THEN 1 ELSE 0 END,
    file_bytes = COALESCE(CAST(json_extract(media, '$.size') AS BIGINT), 0)
        + COALESCE(CAST(json_extract(first_frame, '$.stored.size') AS BIGINT), 0)
        + COALESCE(CAST(json_extract(last_frame, '$.stored.size') AS BIGINT), 0);
