-- Moments cross the border as whole microseconds since 1970, UTC. Both directions are exact.

CREATE FUNCTION from_us(moment bigint) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN timestamptz 'epoch' + moment * interval '1 microsecond';

CREATE FUNCTION to_us(moment timestamptz) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (extract(epoch FROM moment) * 1000000)::bigint;

-- Players and their totals.
--
-- No index on score, on purpose: ranks are served from memory, and without such an index raising a score touches no index at
-- all (a heap-only update), for which every page keeps room. `version` counts the raises of one player, `reached_at` is the
-- moment of the last. Uniqueness is judged on the folded forms, the names are shown as they were typed.

CREATE TABLE users (
    user_id       uuid PRIMARY KEY,
    username      text NOT NULL,
    username_key  text NOT NULL CONSTRAINT users_username_key UNIQUE,
    email         text NOT NULL,
    email_key     text NOT NULL CONSTRAINT users_email_key UNIQUE,
    password_hash text NOT NULL,
    score         bigint NOT NULL DEFAULT 0 CHECK (score BETWEEN 0 AND 9007199254740992),
    version       bigint NOT NULL DEFAULT 0,
    reached_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    country       char(2),
    avatar        text,
    role          text NOT NULL DEFAULT 'user',
    is_active     boolean NOT NULL DEFAULT true,
    is_banned     boolean NOT NULL DEFAULT false,
    is_flagged    boolean NOT NULL DEFAULT false,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_active   timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX users_flagged ON users (user_id) WHERE is_flagged;

-- What can be done, and what it is worth.

CREATE TABLE actions (
    action_type text PRIMARY KEY,
    base_points bigint NOT NULL CHECK (base_points > 0),
    description text,
    is_active   boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

INSERT INTO actions (action_type, base_points, description) VALUES ('INCREMENT', 1, 'One point for a completed action');
