-- How a player stands with those who run the game. Banned: may do nothing. Quarantined: sees the own points, and nobody else does.
-- Restricted: is slower, for a time. Flagged: somebody should look. Who is banned or quarantined is hidden from all boards.

ALTER TABLE users ADD COLUMN is_quarantined boolean NOT NULL DEFAULT false;
ALTER TABLE users ADD COLUMN restricted_until timestamptz;
ALTER TABLE users ADD COLUMN tier text NOT NULL DEFAULT 'free';
ALTER TABLE users ADD COLUMN reputation integer NOT NULL DEFAULT 0;

CREATE FUNCTION standing_of(u users) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object(
    'flagged', u.is_flagged, 'restricted_until_us', to_us(u.restricted_until), 'quarantined', u.is_quarantined,
    'banned', u.is_banned, 'tier', u.tier, 'reputation', u.reputation);

-- Change it, and say so in the audit, in one transaction. What `p_change` does not name stays as it is. The boards hear of it as of
-- a change of profile: with the next version, the score and the moment of before; only if it hides the player or shows it again.
-- The event's id names the call: the same once more changes nothing and tells what the first time told.

CREATE FUNCTION change_standing(p_user uuid, p_change jsonb, p_chain uuid, p_event jsonb)
RETURNS TABLE (before jsonb, after jsonb, username text, score bigint, version bigint, reached_us bigint, country text, avatar text,
               hidden boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    was users;
    player users;
    told jsonb;
BEGIN
    SELECT * INTO was FROM users u WHERE u.user_id = p_user FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT e.details INTO told FROM audit_events e WHERE e.event_id = (p_event ->> 'event_id')::uuid;
    player := was;
    IF NOT FOUND THEN
        UPDATE users u
        SET is_flagged = coalesce((p_change ->> 'flagged')::boolean, u.is_flagged),
            is_quarantined = coalesce((p_change ->> 'quarantined')::boolean, u.is_quarantined),
            is_banned = coalesce((p_change ->> 'banned')::boolean, u.is_banned),
            tier = coalesce(p_change ->> 'tier', u.tier),
            reputation = coalesce((p_change ->> 'reputation')::integer, u.reputation),
            restricted_until = CASE WHEN p_change ? 'restricted_until_us'
                                    THEN from_us((p_change ->> 'restricted_until_us')::bigint)
                                    ELSE u.restricted_until END,
            version = u.version + CASE
                WHEN (coalesce((p_change ->> 'quarantined')::boolean, u.is_quarantined)
                      OR coalesce((p_change ->> 'banned')::boolean, u.is_banned)) <> (u.is_quarantined OR u.is_banned) THEN 1
                ELSE 0 END,
            updated_at = clock_timestamp()
        WHERE u.user_id = p_user
        RETURNING u.* INTO player;
        told := jsonb_build_object('before', standing_of(was), 'after', standing_of(player));
        PERFORM record_events(p_chain, jsonb_build_array(p_event || jsonb_build_object('details', told)));
    END IF;
    RETURN QUERY SELECT told -> 'before', told -> 'after', player.username, player.score, player.version, to_us(player.reached_at),
                        player.country::text, player.avatar, player.is_banned OR player.is_quarantined;
END $$;

-- As before, and who is hidden from the boards is told to be.

DROP FUNCTION change_profile(uuid, boolean, char(2), boolean, text);

CREATE FUNCTION change_profile(
    p_user uuid, p_set_country boolean, p_country char(2), p_set_avatar boolean, p_avatar text
) RETURNS TABLE (outcome integer, username text, score bigint, version bigint, reached_us bigint, country text, avatar text,
                 hidden boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    player users;
BEGIN
    SELECT * INTO player FROM users u WHERE u.user_id = p_user FOR NO KEY UPDATE;
    IF NOT FOUND OR player.is_banned THEN
        RETURN QUERY SELECT CASE WHEN player.user_id IS NULL THEN 4 ELSE 5 END,
                            NULL::text, NULL::bigint, NULL::bigint, NULL::bigint, NULL::text, NULL::text, NULL::boolean;
        RETURN;
    END IF;
    IF p_set_country AND player.country IS DISTINCT FROM p_country
        OR p_set_avatar AND player.avatar IS DISTINCT FROM p_avatar THEN
        UPDATE users u
        SET country = CASE WHEN p_set_country THEN p_country ELSE u.country END,
            avatar = CASE WHEN p_set_avatar THEN p_avatar ELSE u.avatar END,
            version = u.version + 1, updated_at = clock_timestamp(), last_active = clock_timestamp()
        WHERE u.user_id = p_user
        RETURNING u.* INTO player;
    END IF;
    RETURN QUERY SELECT 0, player.username, player.score, player.version, to_us(player.reached_at), player.country::text,
                        player.avatar, player.is_quarantined;
END $$;

-- A period as it stands in the ledger, without those who are hidden. While it is being closed, lifting that shows them there again.

CREATE OR REPLACE FUNCTION standings(p_start bigint, p_end bigint) RETURNS TABLE (
    rank bigint, country_rank bigint, user_id uuid, username text, score bigint, reached_at timestamptz, country char(2), avatar text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT row_number() OVER (ORDER BY g.score DESC, g.reached_at, g.user_id),
           CASE WHEN u.country IS NOT NULL
                THEN row_number() OVER (PARTITION BY u.country ORDER BY g.score DESC, g.reached_at, g.user_id) END,
           g.user_id, u.username, g.score, g.reached_at, u.country, u.avatar
    FROM gains(p_start, p_end) g JOIN users u ON u.user_id = g.user_id
    WHERE NOT (u.is_banned OR u.is_quarantined);
END;

-- The rows of the cursor `members`, as before, and who of them is hidden.

CREATE FUNCTION next_members(p_count integer) RETURNS TABLE (
    user_id uuid, username text, score bigint, version bigint, reached_us bigint, total bigint, country text, avatar text,
    hidden boolean, expected bigint)
LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('FETCH FORWARD %s FROM members', p_count);
END $$;
