-- Survived from 0018 on.
-- What other workers must hear of: each batch of scores, and each player who is new or looks another way on the boards.
--
-- Batches are numbered already: those of one worker are a chain, whose end stays locked until its transaction has ended. So the
-- numbers of a chain become visible one after the other and without a gap, and whoever has read up to one has missed none before
-- it, however late another worker commits. `xid` is the transaction, by which the one that writes a batch finds its number.

ALTER TABLE audit_batches ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();

-- The number of the batch that this transaction has sealed in a chain; NULL if it has sealed none there, or several.

CREATE FUNCTION batch_of(p_chain uuid) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (
        SELECT max(b.seq)
        FROM (SELECT a.seq, a.xid FROM audit_batches a WHERE a.chain = p_chain ORDER BY a.seq DESC LIMIT 2) b
        WHERE b.xid = pg_current_xact_id()
        HAVING count(*) = 1);
END $$;

-- Batches of some chains, behind `p_after` of each up to `p_upto`, `p_most` of each at most: a row for each score, with name and
-- looks of its player as they are now.

CREATE FUNCTION batches_after(p_chains uuid[], p_after bigint[], p_upto bigint[], p_most bigint) RETURNS TABLE (
    chain uuid, seq bigint, user_id uuid, username text, score bigint, version bigint, reached_us bigint, points bigint,
    occurred_us bigint, country text, avatar text, hidden boolean)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT b.chain, b.seq, s.user_id, u.username, s.new_score, s.version, to_us(s.created_at), s.score_increment,
           to_us(coalesce(s.occurred_at, s.created_at)), u.country::text, u.avatar, u.is_banned OR u.is_quarantined
    FROM unnest(p_chains, p_after, p_upto) AS w (chain, after, upto)
    CROSS JOIN LATERAL (
        SELECT a.* FROM audit_batches a
        WHERE a.chain = w.chain AND a.seq > w.after AND a.seq <= w.upto ORDER BY a.seq LIMIT p_most) b
    CROSS JOIN LATERAL unnest(b.ids, b.moments) WITH ORDINALITY AS r (user_id, created_at, ord)
    JOIN score_updates s ON s.user_id = r.user_id AND s.created_at = r.created_at
    JOIN users u ON u.user_id = s.user_id
    ORDER BY b.chain, b.seq, r.ord;
END $$;

-- Players who are new, or have another name, country or picture, or are hidden or shown again: told within the transaction that
-- does it. Scores raise other columns and never come here. Who reads behind the oldest transaction that still runs misses none.
-- Without a `user_id` so many were changed at once that it is better to read all of them.

CREATE TABLE player_changes (
    xid     xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    user_id uuid
);

CREATE INDEX player_changes_xid ON player_changes (xid);

CREATE FUNCTION tell_new_players() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM (SELECT 1 FROM made LIMIT 1001) first) > 1000 THEN
        INSERT INTO player_changes (user_id) VALUES (NULL);
    ELSE
        INSERT INTO player_changes (user_id) SELECT m.user_id FROM made m;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER users_come AFTER INSERT ON users REFERENCING NEW TABLE AS made
FOR EACH STATEMENT EXECUTE FUNCTION tell_new_players();

-- Whoever changes a player by hand need not think of the version, by which boards tell what is news.

CREATE FUNCTION number_player_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END $$;

CREATE TRIGGER users_look_numbered
BEFORE UPDATE OF username, country, avatar, is_banned, is_quarantined ON users FOR EACH ROW
WHEN (NEW.version = OLD.version
      AND (NEW.username, NEW.country, NEW.avatar, NEW.is_banned OR NEW.is_quarantined)
          IS DISTINCT FROM (OLD.username, OLD.country, OLD.avatar, OLD.is_banned OR OLD.is_quarantined))
EXECUTE FUNCTION number_player_change();

CREATE FUNCTION tell_player_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO player_changes (user_id) VALUES (NEW.user_id);
    RETURN NULL;
END $$;

CREATE TRIGGER users_look AFTER UPDATE OF username, country, avatar, is_banned, is_quarantined ON users FOR EACH ROW
WHEN ((NEW.username, NEW.country, NEW.avatar, NEW.is_banned OR NEW.is_quarantined)
      IS DISTINCT FROM (OLD.username, OLD.country, OLD.avatar, OLD.is_banned OR OLD.is_quarantined))
EXECUTE FUNCTION tell_player_change();
