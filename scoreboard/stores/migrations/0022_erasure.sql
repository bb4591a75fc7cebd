-- Survived from 0018 on.
--
-- A player is erased: the key goes, and with it all that it encrypted, also where rows never change; what else names the player is
-- overwritten. The account stays, under a name that says nothing, because scores and audit stay whole; nobody can sign in to it, and
-- it is on no board.

CREATE INDEX user_keys_erased ON user_keys (user_id) WHERE erased_at IS NOT NULL;

-- All workers forget the key.

CREATE FUNCTION announce_erased() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO announcements (kind, about) VALUES ('erased', NEW.user_id);
    RETURN NULL;
END $$;

CREATE TRIGGER user_keys_erased AFTER INSERT OR UPDATE OF wrapped ON user_keys FOR EACH ROW
WHEN (NEW.wrapped IS NULL) EXECUTE FUNCTION announce_erased();

-- False if there is no such player. The same again changes nothing but what has come since. `p_password` is a hash that no password
-- has.

CREATE FUNCTION erase_user(p_user uuid, p_name text, p_name_key text, p_password text, p_chain uuid, p_event jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users u
    SET username = p_name, username_key = p_name_key, email = '', email_sealed = NULL, email_key = 'erased:' || u.user_id,
        password_hash = p_password, country = NULL, avatar = NULL, role = 'user', is_active = false, is_banned = true,
        version = u.version + 1, updated_at = clock_timestamp()
    WHERE u.user_id = p_user;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO user_keys (user_id, master, wrapped, erased_at) VALUES (p_user, '', NULL, clock_timestamp())
    ON CONFLICT (user_id) DO UPDATE SET master = '', wrapped = NULL, erased_at = coalesce(user_keys.erased_at, excluded.erased_at);
    UPDATE sessions s SET revoked_at = clock_timestamp() WHERE s.user_id = p_user AND s.revoked_at IS NULL;
    UPDATE sessions s SET ip_address = NULL, user_agent = NULL, source = NULL WHERE s.user_id = p_user;
    DELETE FROM fraud_profiles f WHERE f.user_id = p_user;
    PERFORM record_events(p_chain, jsonb_build_array(p_event));
    RETURN true;
END $$;
