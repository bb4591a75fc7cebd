-- Survived from 0018 on.
--
-- What is known of persons (e-mail addresses, where requests came from) is encrypted, for each player under a key of its own; the
-- keys are wrapped by a master key that is not in the database. To erase a player's key is to erase all that it encrypted, also
-- where rows never change. `wrapped` is null then.

CREATE TABLE user_keys (
    user_id   uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    master    text NOT NULL,
    wrapped   bytea,
    made_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    erased_at timestamptz,
    CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL))
);

-- Keys of nobody in particular: one a day for strangers, one for the game's servers, one by which e-mail addresses are compared.

CREATE TABLE shared_keys (
    name    text PRIMARY KEY,
    master  text NOT NULL,
    wrapped bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Beside the columns in the clear, which a worker of the version before still writes, and which are empty where these are not.
-- `email_key` is a keyed hash then, behind `hmac:`, which no address begins with. `source` is address and agent.

ALTER TABLE users ADD COLUMN email_sealed bytea;
ALTER TABLE sessions ADD COLUMN source bytea;

-- What is still to be encrypted. Scores touch neither.

CREATE INDEX users_in_the_clear ON users (user_id) WHERE email <> '';
CREATE INDEX sessions_in_the_clear ON sessions (session_id) WHERE ip_address IS NOT NULL OR user_agent IS NOT NULL;
