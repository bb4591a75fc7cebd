-- A session is one sign-in: the family of refresh tokens that began there. Tokens are stored as hashes only.

CREATE TABLE sessions (
    session_id uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    ip_address inet,
    user_agent text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);

CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    successor  bytea
);

CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);

-- Exchange one refresh token for its successor. `reason` is NULL when it was exchanged. The session's row is locked first, so
-- all exchanges within one family happen one after the other.

CREATE FUNCTION rotate_refresh(
    p_presented bytea, p_successor bytea, p_now timestamptz, p_expires timestamptz, p_grace interval
) RETURNS TABLE (reason text, session_id uuid, user_id uuid, username text, password_hash text, role text, banned boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    family sessions;
    token refresh_tokens;
    player users;
    next_used boolean;
BEGIN
    SELECT s.* INTO family FROM sessions s JOIN refresh_tokens t ON t.session_id = s.session_id
    WHERE t.token_hash = p_presented FOR NO KEY UPDATE OF s;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown', NULL::uuid, NULL::uuid, NULL::text, NULL::text, NULL::text, NULL::boolean;
        RETURN;
    END IF;
    SELECT * INTO token FROM refresh_tokens t WHERE t.token_hash = p_presented;
    SELECT * INTO player FROM users u WHERE u.user_id = family.user_id;
    SELECT t.used_at IS NOT NULL INTO next_used FROM refresh_tokens t WHERE t.token_hash = token.successor;
    reason := CASE
        WHEN family.revoked_at IS NOT NULL THEN 'revoked'
        WHEN token.used_at IS NOT NULL AND (
            token.successor <> p_successor OR next_used OR p_now > token.used_at + p_grace) THEN 'reused'
        WHEN token.used_at IS NULL AND token.expires_at <= p_now THEN 'expired'
        WHEN player.is_banned THEN 'banned'
    END;
    IF reason = 'reused' THEN
        UPDATE sessions s SET revoked_at = p_now WHERE s.session_id = family.session_id;
    ELSIF reason IS NULL AND token.used_at IS NULL THEN
        INSERT INTO refresh_tokens (token_hash, session_id, issued_at, expires_at)
        VALUES (p_successor, family.session_id, p_now, p_expires);
        UPDATE refresh_tokens t SET used_at = p_now, successor = p_successor WHERE t.token_hash = p_presented;
        UPDATE sessions s SET expires_at = greatest(s.expires_at, p_expires) WHERE s.session_id = family.session_id;
    END IF;
    RETURN QUERY SELECT reason, family.session_id, player.user_id, player.username, player.password_hash,
        player.role, player.is_banned;
END $$;
