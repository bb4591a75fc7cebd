-- Survived from 0018 on.
-- Which history this is. Two replicas of one primary that are promoted one after the other are both on the next timeline, though they
-- have not the same commits. So whoever is the first to look at a timeline gives it a name; its replicas have that too, and who was
-- never one of them has not.

CREATE TABLE histories (
    timeline text PRIMARY KEY,
    name     uuid NOT NULL DEFAULT gen_random_uuid(),
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
