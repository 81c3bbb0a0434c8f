-- The first schema: tenants, their users, new device requests, device
-- credentials and the events that tell how each came about.
--
-- Run as devcred_owner by "devcredctl migrate".  Rules that a table can state
-- are stated here, so that no door (service, devcredctl, psql) can get round
-- them; the operations stand in sql/.

create type devcred.request_status as enum (
    'WAITING_FOR_CONNECTION',
    'PENDING_ACCEPTANCE',
    'ACCEPTED',
    'BLOCKED'
);
comment on type devcred.request_status is
    'State of a new device request; the names are the reference''s.';

create type devcred.token_policy as enum ('IGNORED', 'OPTIONAL', 'REQUIRED');
comment on type devcred.token_policy is
    'What a tenant asks of a device''s security token: IGNORED, never looked at;
OPTIONAL, must match if the device sent one; REQUIRED, must be sent and match.';

create type devcred.outcome as enum (
    'ok',
    'absent',
    'exists',
    'wrong_state',
    'token_mismatch',
    'token_blocked',
    'no_tenant'
);
comment on type devcred.outcome is
    'How an operation ended.  Expected results are values, never exceptions, so
that a refusal commits what it has to record.  ok: done; absent: no such request
for this tenant; exists: the id is taken; wrong_state: the request is in a state
that does not allow it; token_mismatch: the security token differs;
token_blocked: it differed once too often, the request is BLOCKED now;
no_tenant: the tenant named does not exist.';

-- Tenants and the people in them --------------------------------------------

create table devcred.tenant (
    id text collate "C" not null,
    domain_name text collate "C",
    token_policy devcred.token_policy not null default 'OPTIONAL',
    created_at timestamptz not null default clock_timestamp(),
    constraint tenant_pkey
        primary key (id),
    constraint tenant_domain_name_is_unique
        unique (domain_name),
    constraint tenant_id_is_a_plain_word
        check (id ~ '^[a-z][a-z0-9_-]{0,31}$'),
    constraint tenant_domain_name_is_a_lower_case_host
        check (domain_name ~ '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$')
);
comment on table devcred.tenant is
    'Customers of this installation; "management" serves them all.';
comment on column devcred.tenant.id is
    'Name in logins (tenant/user) and in answers: a to z, digits, _ and -, at most 32.';
comment on column devcred.tenant.domain_name is
    'Host name whose requests belong to this tenant when a login names none.';
comment on column devcred.tenant.token_policy is
    'What acceptance asks of security tokens; the tenant option device-registration/security-token.policy.';
comment on column devcred.tenant.created_at is
    'When the tenant was added.';

insert into devcred.tenant (id) values ('management');

create table devcred.tenant_user (
    tenant text collate "C" not null,
    name text collate "C" not null,
    password_hash text collate "C" not null,
    roles text[] collate "C" not null,
    disabled_at timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    password_at timestamptz not null default clock_timestamp(),
    constraint tenant_user_pkey
        primary key (tenant, name),
    constraint tenant_user_tenant_fkey
        foreign key (tenant) references devcred.tenant (id),
    constraint tenant_user_name_is_a_login
        check (char_length(name) between 1 and 200
            and name !~ '[[:space:][:cntrl:]/\\+$:]'),
    constraint tenant_user_name_is_not_a_device
        check (name not like 'device\_%'),
    constraint tenant_user_password_is_hashed_slowly
        check (password_hash ~ '^\$(2b\$12|y\$j[./0-9A-Za-z]+)\$[./0-9A-Za-z$]{40,}$'),
    constraint tenant_user_roles_are_known
        check (roles <@ array['ROLE_DEVICE_CONTROL_ADMIN',
            'ROLE_DEVICE_CONTROL_READ', 'ROLE_DEVICE_BOOTSTRAP',
            'ROLE_USER_MANAGEMENT_ADMIN']
            and cardinality(roles) > 0
            and array_position(roles, null) is null),
    constraint tenant_user_bootstrap_can_do_nothing_else
        check (not 'ROLE_DEVICE_BOOTSTRAP' = any (roles)
            or cardinality(roles) = 1)
);
comment on table devcred.tenant_user is
    'Logins of people and the shared bootstrap logins of devices.  Issued device logins are in device_credential.';
comment on column devcred.tenant_user.tenant is
    'The tenant the user acts for; users of "management" act for every tenant.';
comment on column devcred.tenant_user.name is
    'Login name; names that start with device_ are kept for issued credentials.';
comment on column devcred.tenant_user.password_hash is
    'crypt(3) hash of the password: bcrypt $2b$ of cost 12 or yescrypt $y$.';
comment on column devcred.tenant_user.roles is
    'The reference''s role names.  ROLE_DEVICE_BOOTSTRAP stands alone: that password is public knowledge.';
comment on column devcred.tenant_user.disabled_at is
    'Since when the login is refused; null while it works.';
comment on column devcred.tenant_user.created_at is
    'When the user was added.';
comment on column devcred.tenant_user.password_at is
    'When the password was last set.';

-- New device requests -------------------------------------------------------

create table devcred.newdevice_request (
    id text collate "C" not null,
    tenant text collate "C" not null,
    seq bigint generated always as identity,
    status devcred.request_status not null default 'WAITING_FOR_CONNECTION',
    owner text not null,
    created_at timestamptz not null default clock_timestamp(),
    group_id text,
    type text,
    custom_properties jsonb not null default '{}',
    claimed_at timestamptz,
    claimed_from inet,
    last_seen_at timestamptz,
    refused_at timestamptz,
    token_hash bytea,
    token_failures int not null default 0,
    accepted_at timestamptz,
    accepted_by text,
    constraint newdevice_request_pkey
        primary key (id),
    constraint newdevice_request_seq_is_unique
        unique (seq),
    constraint newdevice_request_tenant_fkey
        foreign key (tenant) references devcred.tenant (id),
    constraint newdevice_request_id_has_no_forbidden_character
        check (char_length(id) between 1 and 1000
            and id !~ '[[:space:][:cntrl:]/\\+$:]'),
    constraint newdevice_request_custom_properties_is_an_object
        check (jsonb_typeof(custom_properties) = 'object'),
    constraint newdevice_request_token_is_a_digest
        check (octet_length(token_hash) = 32),
    constraint newdevice_request_token_failures_is_a_count
        check (token_failures >= 0),
    constraint newdevice_request_waiting_is_unclaimed
        check (status <> 'WAITING_FOR_CONNECTION'
            or (claimed_at is null and claimed_from is null
                and last_seen_at is null and token_hash is null)),
    constraint newdevice_request_pending_is_claimed
        check (status not in ('PENDING_ACCEPTANCE', 'ACCEPTED')
            or (claimed_at is not null and last_seen_at is not null)),
    constraint newdevice_request_accepted_by_somebody
        check ((status = 'ACCEPTED') = (accepted_at is not null)
            and (accepted_at is null) = (accepted_by is null))
);
create index newdevice_request_newest
    on devcred.newdevice_request (tenant, seq desc);
comment on index devcred.newdevice_request_newest is
    'A tenant''s list, newest first.';
comment on table devcred.newdevice_request is
    'Devices on their way in.  A row lives from registration until credentials are issued or it is deleted; its story stays in event.';
comment on column devcred.newdevice_request.id is
    'Device id, 1 to 1000 characters; unique among live requests over all tenants.';
comment on column devcred.newdevice_request.tenant is
    'The tenant the device will belong to.';
comment on column devcred.newdevice_request.seq is
    'Order of creation; names this registration in event.registration for good.';
comment on column devcred.newdevice_request.status is
    'Where the request stands; see newdevice_request_follows_the_state_machine() for the moves allowed.';
comment on column devcred.newdevice_request.owner is
    'User (tenant/name) or database role (db:name) that created the request.';
comment on column devcred.newdevice_request.created_at is
    'When the request was created.';
comment on column devcred.newdevice_request.group_id is
    'Group the device shall join, as the creator wrote it; not interpreted.';
comment on column devcred.newdevice_request.type is
    'Expected type of the device, as the creator wrote it; not interpreted.';
comment on column devcred.newdevice_request.custom_properties is
    'Free-form object of the creator; handed to the device with its credentials.';
comment on column devcred.newdevice_request.claimed_at is
    'When a device first asked for credentials.';
comment on column devcred.newdevice_request.claimed_from is
    'Address that first poll came from, as the web server saw it.';
comment on column devcred.newdevice_request.last_seen_at is
    'When the device last polled; written at most once a minute.';
comment on column devcred.newdevice_request.refused_at is
    'When a poll with another security token was last audited; at most once a minute.';
comment on column devcred.newdevice_request.token_hash is
    'devcred.token_digest() of the security token sent with the first poll; null if none was sent.';
comment on column devcred.newdevice_request.token_failures is
    'Acceptances refused because of a wrong security token.';
comment on column devcred.newdevice_request.accepted_at is
    'When the request was accepted.';
comment on column devcred.newdevice_request.accepted_by is
    'User (tenant/name) or database role (db:name) that accepted it.';

-- The moves between states, for every door.  Deleting is allowed anywhere;
-- issuance is the deletion of an ACCEPTED row beside its new credential.
create function devcred.newdevice_request_follows_the_state_machine()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        if new.status <> 'WAITING_FOR_CONNECTION' then
            raise exception 'a new device request starts as WAITING_FOR_CONNECTION, not %', new.status
                using errcode = 'check_violation';
        end if;
        return new;
    end if;
    if new.id <> old.id or new.tenant <> old.tenant or new.seq <> old.seq then
        raise exception 'a new device request keeps its id, tenant and seq'
            using errcode = 'check_violation';
    end if;
    if new.status <> old.status and (old.status, new.status) not in (
            ('WAITING_FOR_CONNECTION', 'PENDING_ACCEPTANCE'),
            ('PENDING_ACCEPTANCE', 'ACCEPTED'),
            ('WAITING_FOR_CONNECTION', 'BLOCKED'),
            ('PENDING_ACCEPTANCE', 'BLOCKED'),
            ('ACCEPTED', 'BLOCKED'),
            ('BLOCKED', 'PENDING_ACCEPTANCE'),
            ('BLOCKED', 'WAITING_FOR_CONNECTION')) then
        raise exception 'a new device request does not go from % to %', old.status, new.status
            using errcode = 'check_violation';
    end if;
    return new;
end
$$;
comment on function devcred.newdevice_request_follows_the_state_machine() is
    'Trigger: requests start WAITING_FOR_CONNECTION and move only as the state machine allows.';

create trigger newdevice_request_insert
    before insert on devcred.newdevice_request
    for each row execute function devcred.newdevice_request_follows_the_state_machine();
comment on trigger newdevice_request_insert on devcred.newdevice_request is
    'Requests start as WAITING_FOR_CONNECTION.';
create trigger newdevice_request_update
    before update of id, tenant, seq, status on devcred.newdevice_request
    for each row execute function devcred.newdevice_request_follows_the_state_machine();
comment on trigger newdevice_request_update on devcred.newdevice_request is
    'Requests move only as the state machine allows.';

-- Credentials ---------------------------------------------------------------

create table devcred.device_credential (
    tenant text collate "C" not null,
    device_id text collate "C" not null,
    username text collate "C" not null generated always as ('device_' || device_id) stored,
    password_salt bytea not null,
    password_hash bytea not null,
    generation int not null default 1,
    registration bigint not null,
    issued_at timestamptz not null default clock_timestamp(),
    issued_to inet,
    accepted_at timestamptz not null,
    accepted_by text not null,
    custom_properties jsonb not null default '{}',
    constraint device_credential_pkey
        primary key (tenant, device_id),
    constraint device_credential_tenant_fkey
        foreign key (tenant) references devcred.tenant (id),
    constraint device_credential_is_issued_once_per_registration
        unique (registration),
    constraint device_credential_id_has_no_forbidden_character
        check (char_length(device_id) between 1 and 1000
            and device_id !~ '[[:space:][:cntrl:]/\\+$:]'),
    constraint device_credential_password_is_salted
        check (octet_length(password_salt) = 16),
    constraint device_credential_password_is_a_digest
        check (octet_length(password_hash) = 32),
    constraint device_credential_generation_is_a_count
        check (generation > 0),
    constraint device_credential_custom_properties_is_an_object
        check (jsonb_typeof(custom_properties) = 'object')
);
comment on table devcred.device_credential is
    'Issued logins: at most one for each device of a tenant.';
comment on column devcred.device_credential.tenant is
    'Tenant of the login.';
comment on column devcred.device_credential.device_id is
    'Device id of the request it was issued for.';
comment on column devcred.device_credential.username is
    'Login name: device_ and the device id.';
comment on column devcred.device_credential.password_salt is
    '16 random bytes, new with each password.';
comment on column devcred.device_credential.password_hash is
    'SHA-256 of salt and password.  The password is random and has 190 bits, so nothing slower is needed.';
comment on column devcred.device_credential.generation is
    'How many times this device has been issued a password.';
comment on column devcred.device_credential.registration is
    'newdevice_request.seq of the request it was issued for; one issue for one registration.';
comment on column devcred.device_credential.issued_at is
    'When the password was issued.';
comment on column devcred.device_credential.issued_to is
    'Address that received it, as the web server saw it.';
comment on column devcred.device_credential.accepted_at is
    'When the request was accepted.';
comment on column devcred.device_credential.accepted_by is
    'Who accepted the request.';
comment on column devcred.device_credential.custom_properties is
    'Properties of the request.';

-- Events --------------------------------------------------------------------

create table devcred.event (
    seq bigint generated always as identity,
    at timestamptz not null default clock_timestamp(),
    tenant text collate "C" not null,
    registration bigint not null,
    device_id text collate "C" not null,
    operation text not null,
    outcome devcred.outcome not null,
    actor text not null,
    source inet,
    db_user name not null default session_user,
    status_before devcred.request_status,
    status_after devcred.request_status,
    constraint event_pkey
        primary key (seq),
    constraint event_operation_is_known
        check (operation in ('newdevice_create', 'newdevice_claim',
            'newdevice_accept', 'newdevice_block', 'newdevice_lift',
            'newdevice_delete', 'newdevice_refuse', 'credential_issue'))
);
create index event_device
    on devcred.event (device_id, seq);
comment on index devcred.event_device is
    'The story of one device.';
comment on table devcred.event is
    'Append-only record of every decision.  Nothing here is a secret, nothing here changes.';
comment on column devcred.event.seq is
    'Order in which events were recorded.';
comment on column devcred.event.at is
    'When, by the database''s clock.';
comment on column devcred.event.tenant is
    'Tenant of the device.';
comment on column devcred.event.registration is
    'newdevice_request.seq of the registration it belongs to.';
comment on column devcred.event.device_id is
    'Device id.';
comment on column devcred.event.operation is
    'What was decided: newdevice_create (registered), newdevice_claim (device asked for the first time), newdevice_accept,
newdevice_block, newdevice_lift (block lifted), newdevice_delete, newdevice_refuse (poll with another security token), credential_issue.';
comment on column devcred.event.outcome is
    'How it ended; ok means that it was done.';
comment on column devcred.event.actor is
    'Who: a user (tenant/name) or a database role (db:name).';
comment on column devcred.event.source is
    'Address the request came from, as the web server saw it; null from a database session.';
comment on column devcred.event.db_user is
    'Database role of the session that recorded it.';
comment on column devcred.event.status_before is
    'Status of the request before; null if there was none.';
comment on column devcred.event.status_after is
    'Status of the request after; null if it is gone.';

create function devcred.event_is_append_only()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'devcred.event is append-only'
        using errcode = 'insufficient_privilege';
end
$$;
comment on function devcred.event_is_append_only() is
    'Trigger: no event is ever changed or removed.';
create trigger event_append_only
    before update or delete on devcred.event
    for each row execute function devcred.event_is_append_only();
comment on trigger event_append_only on devcred.event is
    'Second line behind the missing privileges.';
create trigger event_append_only_truncate
    before truncate on devcred.event
    for each statement execute function devcred.event_is_append_only();
comment on trigger event_append_only_truncate on devcred.event is
    'Second line behind the missing privileges.';
