-- What was gained in a period, as before, but said so that the planner knows how much it is. A condition on `occurred_at` lets it
-- expect one row in forty thousand of those that it finds by `created_at`, while it is nearly all; and then it looks up a million
-- players one by one. So the condition stands in the aggregates.

CREATE OR REPLACE FUNCTION gains(p_start bigint, p_end bigint)
RETURNS TABLE (user_id uuid, score bigint, reached_at timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT s.user_id,
           (sum(s.score_increment) FILTER (WHERE s.score_increment > 0
                AND coalesce(s.occurred_at, s.created_at) >= from_us(p_start)
                AND coalesce(s.occurred_at, s.created_at) < from_us(p_end)))::bigint,
           max(s.created_at) FILTER (WHERE s.score_increment > 0
                AND coalesce(s.occurred_at, s.created_at) >= from_us(p_start)
                AND coalesce(s.occurred_at, s.created_at) < from_us(p_end))
    FROM score_updates s
    WHERE s.created_at >= from_us(p_start) AND s.created_at < from_us(p_end + latest_us())
    GROUP BY s.user_id
    HAVING max(s.created_at) FILTER (WHERE s.score_increment > 0
                AND coalesce(s.occurred_at, s.created_at) >= from_us(p_start)
                AND coalesce(s.occurred_at, s.created_at) < from_us(p_end)) IS NOT NULL;
END;

-- A period is a part of a month, and one player after the other the whole month would be read: everywhere, and each page often.

ALTER FUNCTION close_snapshot() SET enable_indexscan = off;

-- An index of block ranges knows of new ones only when it is told to look; until then every question reads all that is new.

CREATE FUNCTION summarize_ledger() RETURNS bigint
LANGUAGE sql
AS $$
SELECT coalesce(sum(brin_summarize_new_values(relid)), 0) FROM pg_partition_tree('score_updates_created_at') WHERE isleaf
$$;
