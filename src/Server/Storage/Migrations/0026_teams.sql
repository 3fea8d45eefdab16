-- The organization of a member's own, whose keys and money a team may have to do with; null for an operator, who has none alone.
ALTER TABLE team_members ADD COLUMN own_organization_no BIGINT;

UPDATE team_members SET own_organization_no = (
    SELECT o.organization_no FROM people p JOIN organizations o ON o.id = p.organization_id
    WHERE p.person_no = team_members.person_no AND o.is_operator = 0);

CREATE INDEX team_members_by_own ON team_members (own_organization_no) WHERE own_organization_no IS NOT NULL;

-- Who sent an invitation, which ends when that person may send none any more; null for the operator.
ALTER TABLE team_invitations ADD COLUMN inviter_id TEXT;

-- Organizations of people's own whose keys carry the hold 'archived', for as long as their owner is in a team.
CREATE TABLE team_archives (
    organization_no BIGINT NOT NULL PRIMARY KEY REFERENCES organizations (organization_no),
    since_ms        BIGINT NOT NULL
);
