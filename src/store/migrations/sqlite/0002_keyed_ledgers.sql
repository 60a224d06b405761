-- Secrets of this database, each made once by whoever opens it first.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
);
-- `seen.ids` are keyed hashes of ids from now on: ids that begin alike can be made on purpose. What was noted by the ids themselves
-- is forgotten, so that those repositories are judged anew.
UPDATE scans SET refs = '', pushed = NULL WHERE repository IN (SELECT repository FROM seen);
DELETE FROM seen;
-- Who lists the repositories of an audit, and a number that grows while it does: whoever sees it stand still may take over.
ALTER TABLE audits ADD COLUMN lister TEXT;
ALTER TABLE audits ADD COLUMN beat BIGINT NOT NULL DEFAULT 0;
-- The order in which audits were begun: a clock may be set back.
ALTER TABLE audits ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
UPDATE audits SET number = (SELECT COUNT(*) FROM audits other WHERE other.started_at < audits.started_at OR (other.started_at = audits.started_at AND other.id <= audits.id));
