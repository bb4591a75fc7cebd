-- Survived from 0018 on.
-- What somebody in charge does to a player's role and sessions: each in one transaction with its record. The player's row is held, so
-- that a sign-in comes before it and ends, or after it and has the new role. A role of `p_beyond` is out of reach of who acts: that is
-- judged here, where it cannot change any more. The event's id names the act: the same once more changes nothing and tells what the
-- first time told.
--
-- No row: there is no such player. `told` is null: out of reach.

CREATE FUNCTION change_role(p_user uuid, p_role text, p_beyond text[], p_chain uuid, p_event jsonb)
RETURNS TABLE (role text, told jsonb)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    held text;
    said jsonb;
BEGIN
    SELECT u.role INTO held FROM users u WHERE u.user_id = p_user FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT e.details INTO said FROM audit_events e WHERE e.event_id = (p_event ->> 'event_id')::uuid;
    IF NOT FOUND AND NOT held = ANY (p_beyond) THEN
        UPDATE users u SET role = p_role, updated_at = clock_timestamp() WHERE u.user_id = p_user;
        said := jsonb_build_object('before', held, 'after', p_role);
        PERFORM record_events(p_chain, jsonb_build_array(p_event || jsonb_build_object('details', said)));
    END IF;
    RETURN QUERY SELECT held, said;
END $$;

-- Sign a player out everywhere: which sessions that ended, as far as it was done now.

CREATE FUNCTION sign_out(p_user uuid, p_beyond text[], p_chain uuid, p_event jsonb)
RETURNS TABLE (role text, told jsonb, ended uuid[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    held text;
    said jsonb;
    gone uuid[] := '{}';
BEGIN
    SELECT u.role INTO held FROM users u WHERE u.user_id = p_user FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT e.details INTO said FROM audit_events e WHERE e.event_id = (p_event ->> 'event_id')::uuid;
    IF NOT FOUND AND NOT held = ANY (p_beyond) THEN
        WITH over AS (
            UPDATE sessions s SET revoked_at = clock_timestamp()
            WHERE s.user_id = p_user AND s.revoked_at IS NULL
            RETURNING s.session_id
        )
        SELECT coalesce(array_agg(o.session_id), '{}') INTO gone FROM over o;
        said := jsonb_build_object('ended', cardinality(gone));
        PERFORM record_events(p_chain, jsonb_build_array(p_event || jsonb_build_object('details', said)));
    END IF;
    RETURN QUERY SELECT held, said, gone;
END $$;
