-- Document A's tables as far as its flow touches them. Left out, for they would only slow it down: the materialized view
-- that a trigger refreshes on each update (it serializes all writers) and the second, covering index on scores.

CREATE TABLE users (
    user_id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    username      varchar(50) UNIQUE NOT NULL,
    email         varchar(255) UNIQUE NOT NULL,
    password_hash varchar(255) NOT NULL,
    score         bigint NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    is_banned     boolean NOT NULL DEFAULT false,
    is_flagged    boolean NOT NULL DEFAULT false
);

CREATE INDEX idx_users_score_desc ON users (score DESC, user_id);

CREATE TABLE actions (
    action_id    uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id      uuid NOT NULL REFERENCES users (user_id),
    action_type  varchar(50) NOT NULL,
    action_token text,
    ip_address   inet,
    user_agent   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    metadata     jsonb,
    PRIMARY KEY (action_id, created_at) -- a partitioned table's key must hold what it is partitioned by
) PARTITION BY RANGE (created_at);

-- One partition for as long as a bench lasts; it costs what a month's would.
CREATE TABLE actions_now PARTITION OF actions DEFAULT;

CREATE INDEX idx_actions_user_id ON actions (user_id, created_at DESC);
CREATE INDEX idx_actions_created_at ON actions (created_at DESC);
CREATE INDEX idx_actions_ip_address ON actions (ip_address, created_at DESC);
