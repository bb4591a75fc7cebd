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

-- One transaction's rows: by `ids` and `moments` (µs) they are found, user_id and created_at of a score, event_id and happened_at of
-- an event. `digests` has 16 bytes for each, in the same order. From them the hash is made, and from the hash before it.

CREATE TABLE audit_batches (
    chain     uuid NOT NULL,
    seq       bigint NOT NULL,
    sealed_at timestamptz NOT NULL,
    previous  bytea NOT NULL,
    hash      bytea NOT NULL,
    ids       uuid[] NOT NULL,
    moments   bigint[] NOT NULL,
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

-- The form of what is sealed. A row as text quotes what is in it, so no two rows have the same; moments are whole microseconds. A
-- column that is added later must come behind, and only where it is not null: then what was sealed before stays as it is.

CREATE FUNCTION score_digest(s score_updates) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN substr(sha256(convert_to(ROW(
    s.user_id, to_us(s.created_at), s.operation_id, s.action_type, s.score_increment, s.previous_score, s.new_score, s.version,
    s.ip_address, s.user_agent, s.verified, to_us(s.occurred_at), s.action_id)::text, 'UTF8')), 1, 16);

CREATE FUNCTION event_digest(e audit_events) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN substr(sha256(convert_to(ROW(
    e.event_id, to_us(e.happened_at), to_us(e.until_at), e.times, e.kind, e.what, e.done_by, e.user_id, e.site, e.ip_address,
    e.user_agent, e.why, e.request_id, e.details)::text, 'UTF8')), 1, 16);

CREATE FUNCTION chain_beginning(p_chain uuid, p_kind text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(convert_to('scoreboard ' || p_kind || ' ', 'UTF8') || uuid_send(p_chain));

CREATE FUNCTION batch_hash(b audit_batches) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(
    b.previous || uuid_send(b.chain) || int8send(b.seq) || int8send(to_us(b.sealed_at)) || array_send(b.ids)
    || array_send(b.moments) || b.digests);

-- Seal what this transaction wrote. Last in it, for the end of a chain stays locked until the transaction has ended.

CREATE FUNCTION seal(p_chain uuid, p_kind text, p_ids uuid[], p_moments bigint[], p_digests bytea) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
AS $$
DECLARE
    head audit_chains;
    batch audit_batches;
BEGIN
    SELECT * INTO head FROM audit_chains c WHERE c.chain = p_chain FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_chains (chain, kind, seq, previous, hash)
        VALUES (p_chain, p_kind, 0, ''::bytea, chain_beginning(p_chain, p_kind))
        ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM audit_chains c WHERE c.chain = p_chain FOR NO KEY UPDATE;
    END IF;
    batch := ROW(p_chain, head.seq + 1, clock_timestamp(), head.hash, NULL, p_ids, p_moments, p_digests);
    batch.hash := batch_hash(batch);
    INSERT INTO audit_batches VALUES (batch.*);
    UPDATE audit_chains c SET seq = batch.seq, previous = batch.previous, hash = batch.hash WHERE c.chain = p_chain;
END $$;

-- Write events, and seal them. What is there already (by its id) is passed by: the same call again changes nothing.

CREATE FUNCTION record_events(p_chain uuid, p_events jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    ids uuid[];
    moments bigint[];
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
           array_agg(to_us(w.happened_at) ORDER BY w.happened_at, w.event_id),
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
