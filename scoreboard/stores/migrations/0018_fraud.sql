-- How each player usually plays, as the rules of fraud know it; and what they found.

CREATE TABLE fraud_profiles (
    user_id    uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    habits     jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- `times` says how often since the rule told of this player last. What followed of it stands in the audit.

CREATE TABLE fraud_events (
    event_id    uuid PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    happened_at timestamptz NOT NULL,
    rule        text NOT NULL,
    severity    text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    consequence text NOT NULL CHECK (consequence IN ('log', 'flag', 'restrict', 'quarantine', 'ban')),
    explanation text NOT NULL,
    times       bigint NOT NULL CHECK (times > 0)
);

CREATE INDEX fraud_events_user ON fraud_events (user_id, happened_at);
CREATE INDEX fraud_events_happened_at ON fraud_events (happened_at);

-- Few are restricted at any time, and every worker asks for them often.

CREATE INDEX users_restricted ON users (restricted_until) WHERE restricted_until IS NOT NULL;
