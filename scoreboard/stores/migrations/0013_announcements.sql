-- What every worker must hear of, whoever did it and wherever: told within the transaction that does it. `xid` is that
-- transaction: who reads behind the oldest one that still runs misses none that commits late.

CREATE TABLE announcements (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind  text NOT NULL,
    about uuid NOT NULL
);

DROP INDEX sessions_revoked_at;  -- what has ended is read here

CREATE INDEX announcements_xid ON announcements (xid);
CREATE INDEX announcements_at ON announcements (at);

-- What has ended before this table was there.

INSERT INTO announcements (at, kind, about)
SELECT revoked_at, 'session', session_id FROM sessions WHERE revoked_at > clock_timestamp() - interval '31 days';

-- A session ends: by a logout, by its owner elsewhere, by a refresh token used twice, with its player.

CREATE FUNCTION announce_session() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO announcements (kind, about) VALUES ('session', OLD.session_id);
    RETURN NULL;
END $$;

CREATE TRIGGER sessions_end AFTER UPDATE OF revoked_at ON sessions FOR EACH ROW
WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION announce_session();

CREATE TRIGGER sessions_go AFTER DELETE ON sessions FOR EACH ROW
WHEN (OLD.revoked_at IS NULL AND OLD.expires_at > clock_timestamp()) EXECUTE FUNCTION announce_session();

-- A player who is banned, or may do other things than before, signs in anew: no proof of what was lives on. Scores raise
-- other columns and never come here.

CREATE FUNCTION end_all_sessions() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sessions SET revoked_at = clock_timestamp() WHERE user_id = NEW.user_id AND revoked_at IS NULL;
    RETURN NULL;
END $$;

CREATE TRIGGER users_change AFTER UPDATE OF is_banned, role ON users FOR EACH ROW
WHEN (NEW.role <> OLD.role OR (NEW.is_banned AND NOT OLD.is_banned)) EXECUTE FUNCTION end_all_sessions();
