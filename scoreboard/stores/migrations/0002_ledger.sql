-- The ledger and what keeps it exact. None of these tables has a foreign key to users: their rows are written only by
-- commit_scores(), which holds the player's row locked, and a check for each row would cost more than the row itself.

-- Every score ever made. `created_at` is the moment that the total was reached, unique for one player.

CREATE TABLE score_updates (
    user_id         uuid NOT NULL,
    created_at      timestamptz NOT NULL,
    operation_id    uuid NOT NULL,
    action_type     text NOT NULL,
    action_id       uuid,
    score_increment bigint NOT NULL,
    previous_score  bigint NOT NULL,
    new_score       bigint NOT NULL,
    version         bigint NOT NULL,
    ip_address      inet,
    user_agent      text,
    verified        boolean NOT NULL DEFAULT true,
    PRIMARY KEY (user_id, created_at)
) PARTITION BY RANGE (created_at);

CREATE INDEX score_updates_created_at ON score_updates USING brin (created_at);

-- Takes what no month takes, so that a score is never refused for want of a partition.

CREATE TABLE score_updates_default PARTITION OF score_updates DEFAULT;

-- Make the partitions of this month and of the `ahead` next ones; returns how many were new. A month is filled beside and then
-- attached, because attaching lets scores be written meanwhile, and because rows that went to the default partition move.

CREATE FUNCTION ensure_partitions(ahead integer DEFAULT 3) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    this_month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    first timestamptz;
    after timestamptz;
    name text;
    made integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('score_updates partitions'));
    FOR month IN 0..ahead LOOP
        first := (this_month + make_interval(months => month)) AT TIME ZONE 'UTC';
        after := (this_month + make_interval(months => month + 1)) AT TIME ZONE 'UTC';
        name := 'score_updates_' || to_char(first AT TIME ZONE 'UTC', 'YYYY_MM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE score_updates INCLUDING ALL)', name);
        LOCK TABLE score_updates_default IN ACCESS EXCLUSIVE MODE;
        EXECUTE format(
            'WITH moved AS (DELETE FROM score_updates_default WHERE created_at >= %L AND created_at < %L RETURNING *)
             INSERT INTO %I SELECT * FROM moved', first, after, name);
        EXECUTE format('ALTER TABLE score_updates ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, first, after);
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

SELECT ensure_partitions();

-- Tokens that were spent; a row outlives its token. That a token counts once is this primary key.
-- (user_id, used_at) names the row of the ledger that it led to.

CREATE TABLE action_tokens (
    token_hash   bytea PRIMARY KEY,
    user_id      uuid NOT NULL,
    operation_id uuid NOT NULL,
    used_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);

CREATE INDEX action_tokens_expires_at ON action_tokens USING brin (expires_at);

-- First answers to requests that carried a key. `answered`: the ranks were told and never change again.

CREATE TABLE idempotency_keys (
    user_id         uuid NOT NULL,
    idempotency_key text NOT NULL,
    request_hash    bytea NOT NULL,
    operation_id    uuid NOT NULL,
    score           bigint NOT NULL,
    version         bigint NOT NULL,
    reached_at      timestamptz NOT NULL,
    points          bigint NOT NULL,
    previous_rank   integer,
    new_rank        integer,
    answered        boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (user_id, idempotency_key)
) WITH (fillfactor = 60);

CREATE INDEX idempotency_keys_created_at ON idempotency_keys USING brin (created_at);
