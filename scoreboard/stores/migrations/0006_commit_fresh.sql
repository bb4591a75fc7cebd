-- The usual case made cheap: all writes of a call are news. Then nothing has to be looked up before it is written, because the
-- keys of the tables judge: a token, an operation or a key that is known, a player who is unknown or banned and a total beyond
-- 2^53 each end the attempt, which leaves nothing behind, and `commit_segment` judges write by write, as ever.
--
-- A thousand writes of as many players cost two thirds of the time: each player's row is found once instead of three times.

-- Raise all players at once, in the order of their ids, as all do who lock them: a nested loop is the only join allowed, and
-- whichever side it begins with comes in that order (`r` is sorted, and of `users` no other index serves a join). What a row was before follows from what it is
-- now, so nobody has to read it before. SB001: somebody here is unknown or banned.

CREATE FUNCTION commit_fresh(
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
    names text[];
    scores bigint[];
    versions bigint[];
    moments timestamptz[];
    raises bigint;
BEGIN
    -- The arrays have the distinct players in the order of their ids; `told` below numbers them in the same way.
    WITH raised AS (
        UPDATE users u
        SET score = u.score + r.gain, version = u.version + r.raises,
            reached_at = greatest(now_at, u.reached_at) + r.last * interval '1 microsecond',
            updated_at = now_at, last_active = now_at
        FROM (
            SELECT i.user_id, sum(i.asked)::bigint AS gain, count(*) AS raises, max(i.ord) AS last
            FROM unnest(p_users, p_points) WITH ORDINALITY AS i (user_id, asked, ord)
            GROUP BY i.user_id ORDER BY i.user_id
        ) r
        WHERE u.user_id = r.user_id
        RETURNING u.user_id, u.username, u.is_banned, u.score - r.gain AS score, u.version - r.raises AS version,
                  u.reached_at - r.last * interval '1 microsecond' AS moment, r.raises
    )
    SELECT array_agg(r.username ORDER BY r.user_id), array_agg(r.score ORDER BY r.user_id),
           array_agg(r.version ORDER BY r.user_id), array_agg(r.moment ORDER BY r.user_id),
           sum(r.raises) FILTER (WHERE NOT r.is_banned)
    INTO names, scores, versions, moments, raises
    FROM raised r;
    IF raises IS DISTINCT FROM cardinality(p_users) THEN
        RAISE EXCEPTION 'a player is unknown or banned' USING ERRCODE = 'SB001';
    END IF;

    -- The tokens in their own order, so that two transactions that want the same ones wait for each other in one direction only.
    RETURN QUERY
    WITH told AS (
        SELECT i.*,
               sum(i.asked) OVER mine AS gained,
               count(*) OVER mine AS raised,
               dense_rank() OVER (ORDER BY i.user_id)::integer AS n
        FROM unnest(p_operations, p_users, p_points, p_actions, p_tokens, p_expires, p_keys, p_requests, p_addresses, p_agents)
            WITH ORDINALITY AS i (operation_id, user_id, asked, action_type, token_hash, expires_us, idempotency_key,
                                  request_hash, address, agent, ord)
        WINDOW mine AS (PARTITION BY i.user_id ORDER BY i.ord ROWS UNBOUNDED PRECEDING)
    ), numbered AS MATERIALIZED (
        SELECT t.*, names[t.n] AS username, scores[t.n] + t.gained::bigint AS new_score, versions[t.n] + t.raised AS new_version,
               moments[t.n] + t.ord * interval '1 microsecond' AS moment
        FROM told t
    ), spent AS (
        INSERT INTO action_tokens (token_hash, user_id, operation_id, used_at, expires_at)
        SELECT n.token_hash, n.user_id, n.operation_id, n.moment, from_us(n.expires_us)
        FROM numbered n ORDER BY n.token_hash
    ), written AS (
        INSERT INTO score_updates (user_id, created_at, operation_id, action_type, score_increment, previous_score, new_score,
                                   version, ip_address, user_agent)
        SELECT n.user_id, n.moment, n.operation_id, n.action_type, n.asked, n.new_score - n.asked, n.new_score, n.new_version,
               n.address::inet, n.agent
        FROM numbered n
    ), kept AS (
        INSERT INTO idempotency_keys (user_id, idempotency_key, request_hash, operation_id, score, version, reached_at,
                                      points, created_at)
        SELECT n.user_id, n.idempotency_key, n.request_hash, n.operation_id, n.new_score, n.new_version, n.moment, n.asked, now_at
        FROM numbered n WHERE n.idempotency_key IS NOT NULL
    )
    SELECT n.ord::integer, 0, n.username, n.new_score, n.new_version, to_us(n.moment), n.asked, NULL::integer, NULL::integer
    FROM numbered n;
END $$;

-- As before, but for the attempt, and a column in which all writes have the same may have it once: a driver looks at each
-- element. The attempt needs no player locked, as it locks them itself in the same order; with answers to record or with
-- several segments they are locked before, so that whoever waits for a key or a token always has the players first.

CREATE OR REPLACE FUNCTION commit_scores(
    p_starts integer[],
    p_operations uuid[], p_users uuid[], p_points bigint[], p_actions text[], p_tokens bytea[], p_expires bigint[],
    p_keys text[], p_requests bytea[], p_addresses text[], p_agents text[],
    a_users uuid[], a_keys text[], a_previous integer[], a_new integer[]
) RETURNS TABLE (
    ord integer, outcome integer, username text, score bigint, version bigint, reached_us bigint, points bigint,
    previous_rank integer, new_rank integer)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    n integer := cardinality(p_operations);
    lo integer;
    hi integer;
BEGIN
    IF n > 1 THEN
        IF cardinality(p_points) = 1 THEN p_points := array_fill(p_points[1], ARRAY[n]); END IF;
        IF cardinality(p_actions) = 1 THEN p_actions := array_fill(p_actions[1], ARRAY[n]); END IF;
        IF cardinality(p_expires) = 1 THEN p_expires := array_fill(p_expires[1], ARRAY[n]); END IF;
        IF cardinality(p_keys) = 1 THEN p_keys := array_fill(p_keys[1], ARRAY[n]); END IF;
        IF cardinality(p_requests) = 1 THEN p_requests := array_fill(p_requests[1], ARRAY[n]); END IF;
        IF cardinality(p_addresses) = 1 THEN p_addresses := array_fill(p_addresses[1], ARRAY[n]); END IF;
        IF cardinality(p_agents) = 1 THEN p_agents := array_fill(p_agents[1], ARRAY[n]); END IF;
    END IF;
    IF cardinality(a_users) > 0 THEN
        PERFORM 1 FROM users u WHERE u.user_id = ANY (p_users) ORDER BY u.user_id FOR NO KEY UPDATE;
        PERFORM record_answers(a_users, a_keys, a_previous, a_new);
    END IF;
    IF cardinality(p_starts) = 1 THEN
        BEGIN
            RETURN QUERY SELECT * FROM commit_fresh(
                p_operations, p_users, p_points, p_actions, p_tokens, p_expires, p_keys, p_requests, p_addresses, p_agents);
            RETURN;
        EXCEPTION WHEN unique_violation OR check_violation OR numeric_value_out_of_range OR SQLSTATE 'SB001' THEN
            NULL;  -- something here is not news: undone, and judged below
        END;
    END IF;
    PERFORM 1 FROM users u WHERE u.user_id = ANY (p_users) ORDER BY u.user_id FOR NO KEY UPDATE;
    FOR segment IN 1..cardinality(p_starts) LOOP
        lo := p_starts[segment];
        hi := coalesce(p_starts[segment + 1] - 1, cardinality(p_operations));
        RETURN QUERY SELECT * FROM commit_segment(
            lo - 1,
            p_operations[lo:hi], p_users[lo:hi], p_points[lo:hi], p_actions[lo:hi], p_tokens[lo:hi], p_expires[lo:hi],
            p_keys[lo:hi], p_requests[lo:hi], p_addresses[lo:hi], p_agents[lo:hi]);
    END LOOP;
END $$;
