-- Lists are in the order of registration, and a btree is read backwards as fast
-- as forwards; but it grows well only at its end: with the newest in front,
-- each registration split pages and cost twice as much.
drop index devcred.newdevice_request_newest;
create index newdevice_request_newest
    on devcred.newdevice_request (tenant, seq);
comment on index devcred.newdevice_request_newest is
    'A tenant''s list, read from its end: newest first.';
drop index devcred.device_credential_newest;
create index device_credential_newest
    on devcred.device_credential (tenant, registration);
comment on index devcred.device_credential_newest is
    'A tenant''s list, read from its end: newest first; and how many there are.';

-- Called for those that break the rule only.
drop trigger newdevice_request_insert on devcred.newdevice_request;
create trigger newdevice_request_insert
    before insert on devcred.newdevice_request
    for each row
    when (new.status <> 'WAITING_FOR_CONNECTION')
    execute function devcred.newdevice_request_follows_the_state_machine();
comment on trigger newdevice_request_insert on devcred.newdevice_request is
    'Requests start as WAITING_FOR_CONNECTION.';

comment on column devcred.newdevice_request.last_seen_at is
    'When the device last polled; may be a minute old, and later 1/24 of the time since claimed_at, an hour at most: see seen_lag().';
