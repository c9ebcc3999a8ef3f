-- Lists of flows: their lengths, kept by triggers, so that no request counts rows.

CREATE TABLE flow_lists (
    owner_id TEXT NOT NULL PRIMARY KEY, -- the organization whose list it is, else the user
    flows    INTEGER NOT NULL,          -- how many flows it has
    changes  INTEGER NOT NULL           -- grows with every change that a part of it may show
) STRICT, WITHOUT ROWID;

INSERT INTO flow_lists (owner_id, flows, changes)
    SELECT coalesce(organization_id, user_id), count(*), 1 FROM flows
    GROUP BY coalesce(organization_id, user_id);

CREATE TRIGGER flow_lists_insert AFTER INSERT ON flows BEGIN
    INSERT INTO flow_lists (owner_id, flows, changes)
        VALUES (coalesce(NEW.organization_id, NEW.user_id), 1, 1)
        ON CONFLICT (owner_id) DO UPDATE SET flows = flows + 1, changes = changes + 1;
END;
CREATE TRIGGER flow_lists_delete AFTER DELETE ON flows BEGIN
    UPDATE flow_lists SET flows = flows - 1, changes = changes + 1
        WHERE owner_id = coalesce(OLD.organization_id, OLD.user_id);
END;
CREATE TRIGGER flow_lists_owner AFTER UPDATE OF user_id, organization_id ON flows BEGIN
    UPDATE flow_lists SET flows = flows - 1, changes = changes + 1
        WHERE owner_id = coalesce(OLD.organization_id, OLD.user_id);
    INSERT INTO flow_lists (owner_id, flows, changes)
        VALUES (coalesce(NEW.organization_id, NEW.user_id), 1, 1)
        ON CONFLICT (owner_id) DO UPDATE SET flows = flows + 1, changes = changes + 1;
END;
CREATE TRIGGER flow_lists_shown AFTER UPDATE OF name, description, type, status ON flows BEGIN
    UPDATE flow_lists SET changes = changes + 1
        WHERE owner_id = coalesce(NEW.organization_id, NEW.user_id);
END;
