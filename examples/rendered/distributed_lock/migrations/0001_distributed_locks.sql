CREATE TABLE IF NOT EXISTS distributed_locks (
    lock_name   text PRIMARY KEY,
    owner       text NOT NULL,
    status      text NOT NULL,
    acquired_at timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS distributed_locks_expiry ON distributed_locks (expires_at) WHERE status = 'held';
