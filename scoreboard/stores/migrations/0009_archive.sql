-- Days, weeks and months that are over, as they ended.
--
-- Whoever opens a period inserts its row here: the keys see to it that one alone does, however many try. From its end on until
-- no write can come to it any more its entries are computed from the ledger; then they are written, once, and never change.

CREATE TABLE leaderboard_snapshots (
    snapshot_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    period      text NOT NULL CHECK (period IN ('daily', 'weekly', 'monthly')),
    label       text NOT NULL,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL CHECK (ends_at > starts_at),
    state       text NOT NULL DEFAULT 'closing' CHECK (state IN ('closing', 'closed')),
    players     bigint,
    opened_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at   timestamptz,
    CHECK ((state = 'closed') = (players IS NOT NULL AND closed_at IS NOT NULL)),
    UNIQUE (period, starts_at),
    UNIQUE (period, label)
);

-- `country_rank` is the rank among the players of the same country.

CREATE TABLE leaderboard_entries (
    snapshot_id  bigint NOT NULL,
    rank         bigint NOT NULL,
    country_rank bigint,
    user_id      uuid NOT NULL,
    username     text NOT NULL,
    score        bigint NOT NULL,
    reached_at   timestamptz NOT NULL,
    country      char(2),
    avatar       text,
    PRIMARY KEY (snapshot_id, rank)
);

CREATE INDEX leaderboard_entries_country ON leaderboard_entries (snapshot_id, country, country_rank) WHERE country IS NOT NULL;

-- Nothing of it changes, whoever tries.

CREATE FUNCTION refuse_to_change_archive() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% in % is refused: what is archived never changes', TG_OP, TG_TABLE_NAME USING ERRCODE = 'SB002';
END $$;

CREATE TRIGGER entries_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON leaderboard_entries
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_archive();

CREATE TRIGGER snapshots_are_never_removed BEFORE DELETE OR TRUNCATE ON leaderboard_snapshots
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_archive();

CREATE TRIGGER snapshots_are_closed_once BEFORE UPDATE ON leaderboard_snapshots
FOR EACH ROW WHEN (OLD.state = 'closed' OR NEW.state = 'closing'
    OR (OLD.snapshot_id, OLD.period, OLD.label, OLD.starts_at, OLD.ends_at, OLD.opened_at)
       IS DISTINCT FROM (NEW.snapshot_id, NEW.period, NEW.label, NEW.starts_at, NEW.ends_at, NEW.opened_at))
EXECUTE FUNCTION refuse_to_change_archive();

CREATE FUNCTION require_closing() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT snapshot_id FROM written) w
        LEFT JOIN leaderboard_snapshots s ON s.snapshot_id = w.snapshot_id
        WHERE s.state IS DISTINCT FROM 'closing'
    ) THEN
        RAISE EXCEPTION 'INSERT in % is refused: what is archived never changes', TG_TABLE_NAME USING ERRCODE = 'SB002';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER entries_come_while_closing AFTER INSERT ON leaderboard_entries
REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION require_closing();

-- Open those of these periods in which anything was gained; returns the labels of those that this call opened.
-- Without sequential scans, because one row is wanted, and to the planner it seems to stand anywhere, while it stands at the end.

CREATE FUNCTION open_snapshots(p_period text, p_starts bigint[], p_ends bigint[], p_labels text[])
RETURNS TABLE (label text)
LANGUAGE plpgsql
SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
    FOR i IN 1..cardinality(p_starts) LOOP
        CONTINUE WHEN NOT EXISTS (
            SELECT FROM score_updates s
            WHERE s.created_at >= from_us(p_starts[i]) AND s.created_at < from_us(p_ends[i] + latest_us())
              AND coalesce(s.occurred_at, s.created_at) >= from_us(p_starts[i])
              AND coalesce(s.occurred_at, s.created_at) < from_us(p_ends[i])
              AND s.score_increment > 0);
        RETURN QUERY
        INSERT INTO leaderboard_snapshots (period, label, starts_at, ends_at)
        VALUES (p_period, p_labels[i], from_us(p_starts[i]), from_us(p_ends[i]))
        ON CONFLICT DO NOTHING
        RETURNING leaderboard_snapshots.label;
    END LOOP;
END $$;

-- A period as it stands in the ledger.

CREATE FUNCTION standings(p_start bigint, p_end bigint) RETURNS TABLE (
    rank bigint, country_rank bigint, user_id uuid, username text, score bigint, reached_at timestamptz, country char(2), avatar text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT row_number() OVER (ORDER BY g.score DESC, g.reached_at, g.user_id),
           CASE WHEN u.country IS NOT NULL
                THEN row_number() OVER (PARTITION BY u.country ORDER BY g.score DESC, g.reached_at, g.user_id) END,
           g.user_id, u.username, g.score, g.reached_at, u.country, u.avatar
    FROM gains(p_start, p_end) g JOIN users u ON u.user_id = g.user_id
    WHERE NOT u.is_banned;
END;

-- Close the oldest period that no write can reach any more and that nobody else is closing. A write is filed no earlier than
-- `latest_us` before it is made; the minute is for those that were made in time and whose transaction has not ended.

CREATE FUNCTION close_snapshot() RETURNS SETOF leaderboard_snapshots
LANGUAGE plpgsql
SET work_mem = '64MB'
AS $$
DECLARE
    closing leaderboard_snapshots;
    entries bigint;
BEGIN
    SELECT * INTO closing FROM leaderboard_snapshots s
    WHERE s.state = 'closing' AND s.ends_at + latest_us() * interval '1 microsecond' + interval '1 minute' < clock_timestamp()
    ORDER BY s.ends_at, s.snapshot_id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO leaderboard_entries
        (snapshot_id, rank, country_rank, user_id, username, score, reached_at, country, avatar)
    SELECT closing.snapshot_id, t.rank, t.country_rank, t.user_id, t.username, t.score, t.reached_at, t.country, t.avatar
    FROM standings(to_us(closing.starts_at), to_us(closing.ends_at)) t;
    GET DIAGNOSTICS entries = ROW_COUNT;
    RETURN QUERY
    UPDATE leaderboard_snapshots s SET state = 'closed', players = entries, closed_at = clock_timestamp()
    WHERE s.snapshot_id = closing.snapshot_id
    RETURNING s.*;
END $$;
