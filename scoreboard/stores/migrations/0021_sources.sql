-- Survived from 0018 on.
--
-- Where scores, proofs and what stands in the audit came from, encrypted as sessions' sources are. The columns in the clear stay for
-- what was written before, which is sealed as it is, and for a worker of the version before.

ALTER TABLE score_updates ADD COLUMN source bytea;
ALTER TABLE audit_events ADD COLUMN source bytea;
ALTER TABLE action_evidence ADD COLUMN source bytea;

-- A row without it has the form of before, so what was sealed stays as it is.

CREATE OR REPLACE FUNCTION score_digest(s score_updates) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN substr(sha256(CASE WHEN s.source IS NULL THEN record_send(ROW(
    s.user_id, s.created_at, s.operation_id, s.action_type, s.score_increment, s.previous_score, s.new_score, s.version,
    s.ip_address, s.user_agent, s.verified, s.occurred_at, s.action_id)) ELSE record_send(ROW(
    s.user_id, s.created_at, s.operation_id, s.action_type, s.score_increment, s.previous_score, s.new_score, s.version,
    s.ip_address, s.user_agent, s.verified, s.occurred_at, s.action_id, s.source)) END), 1, 16);

CREATE OR REPLACE FUNCTION event_digest(e audit_events) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN substr(sha256(CASE WHEN e.source IS NULL THEN record_send(ROW(
    e.event_id, e.happened_at, e.until_at, e.times, e.kind, e.what, e.done_by, e.user_id, e.site, e.ip_address,
    e.user_agent, e.why, e.request_id, e.details)) ELSE record_send(ROW(
    e.event_id, e.happened_at, e.until_at, e.times, e.kind, e.what, e.done_by, e.user_id, e.site, e.ip_address,
    e.user_agent, e.why, e.request_id, e.details, e.source)) END), 1, 16);

-- As before; an event may come with `source`, as text in hexadecimal digits, in place of address and agent.

CREATE OR REPLACE FUNCTION record_events(p_chain uuid, p_events jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
    moments timestamptz[];
    digests bytea;
BEGIN
    WITH written AS (
        INSERT INTO audit_events (event_id, happened_at, until_at, times, kind, what, done_by, user_id, site, ip_address,
                                  user_agent, why, request_id, details, source)
        SELECT e.event_id, from_us(e.happened_us), from_us(coalesce(e.until_us, e.happened_us)), coalesce(e.times, 1), e.kind,
               e.what, e.done_by, e.user_id, e.site, e.address::inet, e.user_agent, e.why, e.request_id, coalesce(e.details, '{}'),
               e.source
        FROM jsonb_to_recordset(p_events) AS e (
            event_id uuid, happened_us bigint, until_us bigint, times bigint, kind text, what text, done_by text, user_id uuid,
            site text, address text, user_agent text, why text, request_id text, details jsonb, source bytea)
        ON CONFLICT DO NOTHING
        RETURNING event_id, happened_at, event_digest(audit_events) AS digest
    )
    SELECT array_agg(w.event_id ORDER BY w.happened_at, w.event_id),
           array_agg(w.happened_at ORDER BY w.happened_at, w.event_id),
           string_agg(w.digest, ''::bytea ORDER BY w.happened_at, w.event_id)
    INTO ids, moments, digests FROM written w;
    IF ids IS NOT NULL THEN
        PERFORM seal(p_chain, 'events', ids, moments, digests);
    END IF;
    RETURN coalesce(cardinality(ids), 0);
END $$;

-- The commit as before, with `p_sources`, encrypted, in place of addresses and agents. The functions with those stay for a worker of
-- the version before.

CREATE FUNCTION commit_fresh(
    p_operations uuid[], p_users uuid[], p_points bigint[], p_actions text[], p_tokens bytea[], p_expires bigint[],
    p_keys text[], p_requests bytea[], p_sources bytea[], p_occurred bigint[], p_names text[],
    p_chain uuid
) RETURNS TABLE (
    ord integer, outcome integer, username text, score bigint, version bigint, reached_us bigint, points bigint,
    previous_rank integer, new_rank integer, occurred_us bigint, country text, avatar text, hidden boolean)
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
    countries text[];
    avatars text[];
    hiddens boolean[];
    scores bigint[];
    versions bigint[];
    moments bigint[];
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
        RETURNING u.user_id, u.username, u.country, u.avatar, u.is_banned, u.is_quarantined,
                  u.score - r.gain AS score, u.version - r.raises AS version, to_us(u.reached_at) - r.last AS moment_us, r.raises
    )
    SELECT array_agg(r.username ORDER BY r.user_id), array_agg(r.country::text ORDER BY r.user_id),
           array_agg(r.avatar ORDER BY r.user_id), array_agg(r.is_quarantined ORDER BY r.user_id),
           array_agg(r.score ORDER BY r.user_id), array_agg(r.version ORDER BY r.user_id),
           array_agg(r.moment_us ORDER BY r.user_id), sum(r.raises) FILTER (WHERE NOT r.is_banned)
    INTO names, countries, avatars, hiddens, scores, versions, moments, raises
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
        FROM unnest(p_operations, p_users, p_points, p_actions, p_tokens, p_expires, p_keys, p_requests, p_sources,
                    p_occurred, p_names)
            WITH ORDINALITY AS i (operation_id, user_id, asked, action_type, token_hash, expires_us, idempotency_key,
                                  request_hash, source, occurred_us, action_id, ord)
        WINDOW mine AS (PARTITION BY i.user_id ORDER BY i.ord ROWS UNBOUNDED PRECEDING)
    ), numbered AS MATERIALIZED (
        SELECT t.*, names[t.n] AS username, scores[t.n] + t.gained::bigint AS new_score, versions[t.n] + t.raised AS new_version,
               from_us(moments[t.n] + t.ord) AS moment, moments[t.n] + t.ord AS moment_us,
               filed_us(t.occurred_us, moments[t.n] + t.ord) AS filed_us
        FROM told t
    ), spent AS (
        INSERT INTO action_tokens (token_hash, user_id, operation_id, used_at, expires_at)
        SELECT n.token_hash, n.user_id, n.operation_id, n.moment, from_us(n.expires_us)
        FROM numbered n ORDER BY n.token_hash
    ), written AS (
        INSERT INTO score_updates (user_id, created_at, operation_id, action_type, score_increment, previous_score, new_score,
                                   version, source, occurred_at, action_id)
        SELECT n.user_id, n.moment, n.operation_id, n.action_type, n.asked, n.new_score - n.asked, n.new_score, n.new_version,
               n.source, from_us(n.filed_us), n.action_id
        FROM numbered n
        RETURNING user_id, created_at, score_digest(score_updates) AS digest
    ), sealed AS MATERIALIZED (
        SELECT seal(p_chain, 'scores', array_agg(w.user_id ORDER BY w.created_at, w.user_id),
                    array_agg(w.created_at ORDER BY w.created_at, w.user_id),
                    string_agg(w.digest, ''::bytea ORDER BY w.created_at, w.user_id))
        FROM written w HAVING count(*) > 0
    ), kept AS (
        INSERT INTO idempotency_keys (user_id, idempotency_key, request_hash, operation_id, score, version, reached_at,
                                      points, created_at)
        SELECT n.user_id, n.idempotency_key, n.request_hash, n.operation_id, n.new_score, n.new_version, n.moment, n.asked, now_at
        FROM numbered n WHERE n.idempotency_key IS NOT NULL
    )
    SELECT n.ord::integer, 0, n.username, n.new_score, n.new_version, n.moment_us, n.asked, NULL::integer, NULL::integer,
           n.filed_us, countries[n.n], avatars[n.n], hiddens[n.n]
    FROM numbered n CROSS JOIN (SELECT count(*) FROM sealed) done;
END $$;

-- Judges write by write.

CREATE FUNCTION commit_segment(
    p_before integer,
    p_operations uuid[], p_users uuid[], p_points bigint[], p_actions text[], p_tokens bytea[], p_expires bigint[],
    p_keys text[], p_requests bytea[], p_sources bytea[], p_occurred bigint[], p_names text[],
    p_chain uuid
) RETURNS TABLE (
    ord integer, outcome integer, username text, score bigint, version bigint, reached_us bigint, points bigint,
    previous_rank integer, new_rank integer, occurred_us bigint, country text, avatar text, hidden boolean)
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
    countries text[];
    avatars text[];
    hiddens boolean[];
    scores bigint[];
    versions bigint[];
    moments timestamptz[];
    wanted integer;
    spent integer;
BEGIN
    -- Judge. The rows of the players are locked, so this statement's snapshot sees all that was done to them before.
    -- A player's moments rise even if the clock was set back.
    SELECT array_agg(kind ORDER BY ord), array_agg(username ORDER BY ord),
           array_agg(country::text ORDER BY ord), array_agg(avatar ORDER BY ord), array_agg(hidden ORDER BY ord),
           array_agg(score ORDER BY ord),
           array_agg(version ORDER BY ord),
           array_agg(greatest(now_at, reached_at) + (p_before + ord) * interval '1 microsecond' ORDER BY ord),
           count(*) FILTER (WHERE kind = 0)
    INTO kinds, names, countries, avatars, hiddens, scores, versions, moments, wanted
    FROM (
        SELECT i.ord, u.username, u.country, u.avatar, u.is_banned OR u.is_quarantined AS hidden, u.score, u.version, u.reached_at,
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
               k.previous_rank, k.new_rank, to_us(coalesce(s.occurred_at, k.reached_at)), i.country, i.avatar,
               i.hidden
        FROM unnest(p_users, p_keys, kinds, names, countries, avatars, hiddens)
            WITH ORDINALITY AS i (user_id, idempotency_key, kind, username, country, avatar, hidden, ord)
        JOIN idempotency_keys k ON k.user_id = i.user_id AND k.idempotency_key = i.idempotency_key
        LEFT JOIN score_updates s ON s.user_id = k.user_id AND s.created_at = k.reached_at
        WHERE i.kind = 1;
    END IF;

    IF 6 = ANY (kinds) THEN
        RETURN QUERY
        SELECT p_before + i.ord::integer, 6, u.username, s.new_score, s.version, to_us(s.created_at), s.score_increment,
               NULL::integer, NULL::integer, to_us(coalesce(s.occurred_at, s.created_at)), u.country::text, u.avatar,
               u.is_banned OR u.is_quarantined
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
        FROM unnest(p_operations, p_users, p_points, p_actions, p_keys, p_requests, p_sources,
                    p_occurred, p_names, kinds, names, countries, avatars, hiddens, scores, versions, moments)
            WITH ORDINALITY AS i (operation_id, user_id, asked, action_type, idempotency_key, request_hash, source,
                                  occurred_us, action_id, kind, username, country, avatar, hidden, score, version, moment,
                                  ord)
        WINDOW told AS (PARTITION BY i.user_id ORDER BY i.ord ROWS UNBOUNDED PRECEDING)
    ), numbered AS MATERIALIZED (
        SELECT c.*,
               least(c.score + c.asked_so_far - c.asked, 9007199254740992)::bigint AS old_score,
               least(c.score + c.asked_so_far, 9007199254740992)::bigint AS new_score,
               c.version + c.raises_so_far AS new_version,
               filed_us(c.occurred_us, to_us(c.moment)) AS filed_us
        FROM counted c
    ), written AS (
        INSERT INTO score_updates (user_id, created_at, operation_id, action_type, score_increment, previous_score, new_score,
                                   version, source, occurred_at, action_id)
        SELECT n.user_id, n.moment, n.operation_id, n.action_type, n.new_score - n.old_score, n.old_score, n.new_score,
               n.new_version, n.source, from_us(n.filed_us), n.action_id
        FROM numbered n WHERE n.kind = 0
        RETURNING user_id, created_at, score_digest(score_updates) AS digest
    ), sealed AS MATERIALIZED (
        SELECT seal(p_chain, 'scores', array_agg(w.user_id ORDER BY w.created_at, w.user_id),
                    array_agg(w.created_at ORDER BY w.created_at, w.user_id),
                    string_agg(w.digest, ''::bytea ORDER BY w.created_at, w.user_id))
        FROM written w HAVING count(*) > 0
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
           n.new_score - n.old_score, NULL::integer, NULL::integer, n.filed_us, n.country, n.avatar, n.hidden
    FROM numbered n CROSS JOIN (SELECT count(*) FROM sealed) done WHERE n.kind NOT IN (1, 6);
END $$;

CREATE FUNCTION commit_scores(
    p_starts integer[],
    p_operations uuid[], p_users uuid[], p_points bigint[], p_actions text[], p_tokens bytea[], p_expires bigint[],
    p_keys text[], p_requests bytea[], p_sources bytea[], p_occurred bigint[], p_names text[],
    a_users uuid[], a_keys text[], a_previous integer[], a_new integer[], p_chain uuid
) RETURNS TABLE (
    ord integer, outcome integer, username text, score bigint, version bigint, reached_us bigint, points bigint,
    previous_rank integer, new_rank integer, occurred_us bigint, country text, avatar text, hidden boolean)
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
        IF cardinality(p_sources) = 1 THEN p_sources := array_fill(p_sources[1], ARRAY[n]); END IF;
        IF cardinality(p_occurred) = 1 THEN p_occurred := array_fill(p_occurred[1], ARRAY[n]); END IF;
    END IF;
    IF cardinality(a_users) > 0 THEN
        PERFORM 1 FROM users u WHERE u.user_id = ANY (p_users) ORDER BY u.user_id FOR NO KEY UPDATE;
        PERFORM record_answers(a_users, a_keys, a_previous, a_new);
    END IF;
    IF cardinality(p_starts) = 1 THEN
        BEGIN
            RETURN QUERY SELECT * FROM commit_fresh(
                p_operations, p_users, p_points, p_actions, p_tokens, p_expires, p_keys, p_requests, p_sources,
                p_occurred, p_names, p_chain);
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
            p_keys[lo:hi], p_requests[lo:hi], p_sources[lo:hi], p_occurred[lo:hi],
            p_names[lo:hi], p_chain);
    END LOOP;
END $$;
