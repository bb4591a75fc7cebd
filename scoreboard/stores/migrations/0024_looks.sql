-- Survived from 0018 on.
--
-- What a user name looks like: nobody new may look like somebody else. The program knows the form, and fills it in for names that were
-- there before; of those that look alike already one has it, and the others stay as they are, with a form of no name (`twin:`).

ALTER TABLE users ADD COLUMN look text;

CREATE UNIQUE INDEX users_look ON users (look);
CREATE INDEX users_without_look ON users (user_id) WHERE look IS NULL;

-- As before; what the name looked like is free again, too.

CREATE OR REPLACE FUNCTION erase_user(p_user uuid, p_name text, p_name_key text, p_password text, p_chain uuid, p_event jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE users u
    SET username = p_name, username_key = p_name_key, email = '', email_sealed = NULL, email_key = 'erased:' || u.user_id,
        look = 'erased:' || u.user_id, password_hash = p_password, country = NULL, avatar = NULL, role = 'user',
        is_active = false, is_banned = true, version = u.version + 1, updated_at = clock_timestamp()
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
