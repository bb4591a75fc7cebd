-- An operation that was committed before is told apart from one that is committed now: outcome 6 leaves these functions, with
-- what the first commit led to. Whoever names operations by what is done, and not by the request, thereby knows a retry from a
-- score. Such a token must never be forgotten, so it is given an end that never comes; `purge` then passes it by.
--
-- But for that one number the function is the same as before.

CREATE OR REPLACE FUNCTION commit_segment(
    p_before integer,
    p_operations uuid[], p_users uuid[], p_points bigint[], p_actions text[], p_tokens bytea[], p_expires bigint[],
    p_keys text[], p_requests bytea[], p_addresses text[], p_agents text[]
) RETURNS TABLE (
    ord integer, outcome integer, username text, score bigint, version bigint, reached_us bigint, points bigint,
    previous_rank integer, new_rank integer)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    now_at timestamptz := clock_timestamp();
    kinds integer[];
    names text[];
    scores bigint[];
    versions bigint[];
    moments timestamptz[];
    wanted integer;
    spent integer;
BEGIN
    -- Judge. The rows of the players are locked, so this statement's snapshot sees all that was done to them before.
    -- A player's moments rise even if the clock was set back.
    SELECT array_agg(kind ORDER BY ord), array_agg(username ORDER BY ord), array_agg(score ORDER BY ord),
           array_agg(version ORDER BY ord),
           array_agg(greatest(now_at, reached_at) + (p_before + ord) * interval '1 microsecond' ORDER BY ord),
           count(*) FILTER (WHERE kind = 0)
    INTO kinds, names, scores, versions, moments, wanted
    FROM (
        SELECT i.ord, u.username, u.score, u.version, u.reached_at,
               CASE WHEN t.operation_id = i.operation_id AND t.user_id = i.user_id THEN 6
                    WHEN k.request_hash = i.request_hash THEN 1
                    WHEN k.request_hash IS NOT NULL THEN 2
                    WHEN u.username IS NULL THEN 4
                    WHEN u.is_banned THEN 5
                    WHEN t.operation_id IS NOT NULL THEN 3
                    ELSE 0 END AS kind
        FROM unnest(p_operations, p_users, p_tokens, p_keys, p_requests)
            WITH ORDINALITY AS i (operation_id, user_id, token_hash, idempotency_key, request_hash, ord)
        LEFT JOIN LATERAL (
            SELECT * FROM users u WHERE u.user_id = i.user_id LIMIT 1) u ON true
        LEFT JOIN LATERAL (
            SELECT * FROM action_tokens t WHERE t.token_hash = i.token_hash LIMIT 1) t ON true
        LEFT JOIN LATERAL (
            SELECT * FROM idempotency_keys k
            WHERE k.user_id = i.user_id AND k.idempotency_key = i.idempotency_key LIMIT 1) k ON true
    ) judged;

    -- Spend the tokens. In their own order, so that two transactions that want the same ones wait for each other in one
    -- direction only.
    INSERT INTO action_tokens (token_hash, user_id, operation_id, used_at, expires_at)
    SELECT i.token_hash, i.user_id, i.operation_id, i.moment, from_us(i.expires_us)
    FROM unnest(p_tokens, p_users, p_operations, moments, p_expires, kinds)
        AS i (token_hash, user_id, operation_id, moment, expires_us, kind)
    WHERE i.kind = 0
    ORDER BY i.token_hash
    ON CONFLICT (token_hash) DO NOTHING;
    GET DIAGNOSTICS spent = ROW_COUNT;

    IF spent < wanted THEN
        -- Another player's transaction took one of them since the judgement.
        SELECT array_agg(CASE WHEN i.kind = 0 AND (t.operation_id, t.user_id) IS DISTINCT FROM (i.operation_id, i.user_id)
                              THEN 3 ELSE i.kind END ORDER BY i.ord)
        INTO kinds
        FROM unnest(p_operations, p_users, p_tokens, kinds)
            WITH ORDINALITY AS i (operation_id, user_id, token_hash, kind, ord)
        LEFT JOIN LATERAL (
            SELECT * FROM action_tokens t WHERE t.token_hash = i.token_hash LIMIT 1) t ON true;
    END IF;

    IF 1 = ANY (kinds) THEN
        RETURN QUERY
        SELECT p_before + i.ord::integer, 1, i.username, k.score, k.version, to_us(k.reached_at), k.points,
               k.previous_rank, k.new_rank
        FROM unnest(p_users, p_keys, kinds, names)
            WITH ORDINALITY AS i (user_id, idempotency_key, kind, username, ord)
        JOIN idempotency_keys k ON k.user_id = i.user_id AND k.idempotency_key = i.idempotency_key
        WHERE i.kind = 1;
    END IF;

    IF 6 = ANY (kinds) THEN
        RETURN QUERY
        SELECT p_before + i.ord::integer, 6, u.username, s.new_score, s.version, to_us(s.created_at), s.score_increment,
               NULL::integer, NULL::integer
        FROM unnest(p_tokens, kinds) WITH ORDINALITY AS i (token_hash, kind, ord)
        JOIN action_tokens t ON t.token_hash = i.token_hash
        JOIN score_updates s ON s.user_id = t.user_id AND s.created_at = t.used_at
        JOIN users u ON u.user_id = t.user_id
        WHERE i.kind = 6;
    END IF;

    -- Apply: running totals of each player in the order given, never above 2^53.
    RETURN QUERY
    WITH counted AS (
        SELECT i.*,
               coalesce(sum(i.asked) FILTER (WHERE i.kind = 0) OVER told, 0) AS asked_so_far,
               count(*) FILTER (WHERE i.kind = 0) OVER told AS raises_so_far
        FROM unnest(p_operations, p_users, p_points, p_actions, p_keys, p_requests, p_addresses, p_agents,
                    kinds, names, scores, versions, moments)
            WITH ORDINALITY AS i (operation_id, user_id, asked, action_type, idempotency_key, request_hash, address, agent,
                                  kind, username, score, version, moment, ord)
        WINDOW told AS (PARTITION BY i.user_id ORDER BY i.ord ROWS UNBOUNDED PRECEDING)
    ), numbered AS MATERIALIZED (
        SELECT c.*,
               least(c.score + c.asked_so_far - c.asked, 9007199254740992)::bigint AS old_score,
               least(c.score + c.asked_so_far, 9007199254740992)::bigint AS new_score,
               c.version + c.raises_so_far AS new_version
        FROM counted c
    ), written AS (
        INSERT INTO score_updates (user_id, created_at, operation_id, action_type, score_increment, previous_score, new_score,
                                   version, ip_address, user_agent)
        SELECT n.user_id, n.moment, n.operation_id, n.action_type, n.new_score - n.old_score, n.old_score, n.new_score,
               n.new_version, n.address::inet, n.agent
        FROM numbered n WHERE n.kind = 0
    ), kept AS (
        INSERT INTO idempotency_keys (user_id, idempotency_key, request_hash, operation_id, score, version, reached_at,
                                      points, created_at)
        SELECT n.user_id, n.idempotency_key, n.request_hash, n.operation_id, n.new_score, n.new_version, n.moment,
               n.new_score - n.old_score, now_at
        FROM numbered n WHERE n.kind = 0 AND n.idempotency_key IS NOT NULL
    ), raised AS (
        UPDATE users u
        SET score = r.score, version = r.version, reached_at = r.moment, updated_at = now_at, last_active = now_at
        FROM (
            SELECT n.user_id, max(n.new_score) AS score, max(n.new_version) AS version, max(n.moment) AS moment
            FROM numbered n WHERE n.kind = 0 GROUP BY n.user_id
        ) r
        WHERE u.user_id = r.user_id
    )
    SELECT p_before + n.ord::integer, n.kind, n.username, n.new_score, n.new_version, to_us(n.moment),
           n.new_score - n.old_score, NULL::integer, NULL::integer
    FROM numbered n WHERE n.kind NOT IN (1, 6);
END $$;
