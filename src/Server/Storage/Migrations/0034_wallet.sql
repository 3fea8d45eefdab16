-- A wallet's movements but for bookings of requests, of which there are so many.
CREATE INDEX wallet_entries_but_usage ON wallet_entries (organization_no, entry_no) WHERE kind <> 'usage';
