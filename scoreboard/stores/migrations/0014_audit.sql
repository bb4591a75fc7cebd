-- Who did what, when, from where, about whom and why: beside the scores, which stand in the ledger. Nothing of it ever changes.
--
-- What happens often is told once with how often (`times`), from `happened_at` to `until_at`. `details` are for programs.

CREATE TABLE audit_events (
    event_id    uuid PRIMARY KEY,
    happened_at timestamptz NOT NULL,
    until_at    timestamptz NOT NULL,
    times       bigint NOT NULL CHECK (times > 0),
    kind        text NOT NULL CHECK (kind IN ('refusal', 'consequence', 'act')),
    what        text NOT NULL,
    done_by     text NOT NULL,
    user_id     uuid,
    site        text,
    ip_address  inet,
    user_agent  text,
    why         text,
    request_id  text,
    details     jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX audit_events_user ON audit_events (user_id, happened_at) WHERE user_id IS NOT NULL;
CREATE INDEX audit_events_happened_at ON audit_events USING brin (happened_at);

-- The seals. Each worker has a chain of its own for scores and one for events, new with every start, so that no writer waits for
-- another worker. `audit_chains` has the end of each: the hash of its last batch, and of the one before.

CREATE TABLE audit_chains (
    chain    uuid PRIMARY KEY,
    kind     text NOT NULL CHECK (kind IN ('scores', 'events')),
    seq      bigint NOT NULL,
    previous bytea NOT NULL,
    hash     bytea NOT NULL
) WITH (fillfactor = 20);

-- One transaction's rows: by `ids` and `moments` they are found, user_id and created_at of a score, event_id and happened_at of
-- an event. `digests` has 16 bytes for each, in the same order. From them the hash is made, and from the hash before it.

CREATE TABLE audit_batches (
    chain     uuid NOT NULL,
    seq       bigint NOT NULL,
    sealed_at timestamptz NOT NULL,
    previous  bytea NOT NULL,
    hash      bytea NOT NULL,
    ids       uuid[] NOT NULL,
    moments   timestamptz[] NOT NULL,
    digests   bytea NOT NULL,
    PRIMARY KEY (chain, seq)
);

CREATE INDEX audit_batches_sealed_at ON audit_batches USING brin (sealed_at);

CREATE FUNCTION refuse_to_change_audit() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% in % is refused: the audit is only ever added to', TG_OP, TG_TABLE_NAME USING ERRCODE = 'SB002';
END $$;

CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit();

CREATE TRIGGER batches_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_batches
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit();

CREATE TRIGGER chains_are_never_removed BEFORE DELETE OR TRUNCATE ON audit_chains
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit();

-- The form of what is sealed: the binary form of a row says of each column how long it is, so no two rows have the same, whatever
-- the settings of a session. A column that is added later must come in a form of its own behind this one, and only where it is not
-- null: then what was sealed before stays as it is.

CREATE FUNCTION score_digest(s score_updates) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN substr(sha256(record_send(ROW(
    s.user_id, s.created_at, s.operation_id, s.action_type, s.score_increment, s.previous_score, s.new_score, s.version,
    s.ip_address, s.user_agent, s.verified, s.occurred_at, s.action_id))), 1, 16);

CREATE FUNCTION event_digest(e audit_events) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN substr(sha256(record_send(ROW(
    e.event_id, e.happened_at, e.until_at, e.times, e.kind, e.what, e.done_by, e.user_id, e.site, e.ip_address,
    e.user_agent, e.why, e.request_id, e.details))), 1, 16);

CREATE FUNCTION chain_beginning(p_chain uuid, p_kind text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(convert_to('scoreboard ' || p_kind || ' ', 'UTF8') || uuid_send(p_chain));

CREATE FUNCTION batch_hash(
    p_previous bytea, p_chain uuid, p_seq bigint, p_sealed_at timestamptz, p_ids uuid[], p_moments timestamptz[], p_digests bytea
) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(
    p_previous || uuid_send(p_chain) || int8send(p_seq) || timestamptz_send(p_sealed_at) || array_send(p_ids)
    || array_send(p_moments) || p_digests);

-- Seal what this transaction wrote. Last in it, for the end of a chain stays locked until the transaction has ended.

CREATE FUNCTION seal(p_chain uuid, p_kind text, p_ids uuid[], p_moments timestamptz[], p_digests bytea) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    now_at timestamptz := clock_timestamp();
    head audit_chains;
BEGIN
    LOOP
        UPDATE audit_chains c
        SET seq = c.seq + 1, previous = c.hash,
            hash = batch_hash(c.hash, c.chain, c.seq + 1, now_at, p_ids, p_moments, p_digests)
        WHERE c.chain = p_chain
        RETURNING c.* INTO head;
        EXIT WHEN FOUND;
        INSERT INTO audit_chains (chain, kind, seq, previous, hash)
        VALUES (p_chain, p_kind, 0, ''::bytea, chain_beginning(p_chain, p_kind))
        ON CONFLICT DO NOTHING;
    END LOOP;
    INSERT INTO audit_batches (chain, seq, sealed_at, previous, hash, ids, moments, digests)
    VALUES (p_chain, head.seq, now_at, head.previous, head.hash, p_ids, p_moments, p_digests);
END $$;

-- Write events, and seal them. What is there already (by its id) is passed by: the same call again changes nothing.

CREATE FUNCTION record_events(p_chain uuid, p_events jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
    moments timestamptz[];
    digests bytea;
BEGIN
    WITH written AS (
        INSERT INTO audit_events (event_id, happened_at, until_at, times, kind, what, done_by, user_id, site, ip_address,
                                  user_agent, why, request_id, details)
        SELECT e.event_id, from_us(e.happened_us), from_us(coalesce(e.until_us, e.happened_us)), coalesce(e.times, 1), e.kind,
               e.what, e.done_by, e.user_id, e.site, e.address::inet, e.user_agent, e.why, e.request_id, coalesce(e.details, '{}')
        FROM jsonb_to_recordset(p_events) AS e (
            event_id uuid, happened_us bigint, until_us bigint, times bigint, kind text, what text, done_by text, user_id uuid,
            site text, address text, user_agent text, why text, request_id text, details jsonb)
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

-- What stood in the ledger before there were seals: so many rows, so many points, up to that moment.

CREATE TABLE audit_unsealed (
    until_at timestamptz NOT NULL,
    rows     bigint NOT NULL,
    points   numeric NOT NULL
);

CREATE TRIGGER unsealed_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_unsealed
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_audit();
