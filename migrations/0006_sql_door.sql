-- The door for SQL: logins of the database that see and change what one
-- tenant has, and plain columns for what views tell about secrets.

alter type devcred.outcome add value 'invalid';
comment on type devcred.outcome is
    'How an operation ended.  Expected results are values, never exceptions, so
that a refusal commits what it has to record.  ok: done; absent: no such request
or credential for this tenant; exists: the id is taken; wrong_state: the request
is in a state that does not allow it; token_mismatch: the security token differs;
token_blocked: it differed once too often, the request is BLOCKED now;
no_tenant: the tenant named does not exist, or has to be named; limit_reached: the
tenant has as many devices as it may have; updated: the device had credentials,
and has new ones; redelivered: issued before, and handed over again;
decommissioned: the id was decommissioned, and is accepted one by one only;
invalid: a line of a bulk registration that no device can have.';

create table devcred.tenant_login (
    login name not null,
    tenant text collate "C" not null,
    read_only bool not null,
    granted_at timestamptz not null default clock_timestamp(),
    granted_by name not null default session_user,
    constraint tenant_login_pkey
        primary key (login, tenant),
    constraint tenant_login_tenant_fkey
        foreign key (tenant) references devcred.tenant (id),
    constraint tenant_login_management_has_devcred_registrar
        check (tenant <> 'management')
);
comment on table devcred.tenant_login is
    'Roles of the database that see what one tenant has, and change it: what row-level security goes by.';
comment on column devcred.tenant_login.login is
    'Name of the role; its members are meant too.';
comment on column devcred.tenant_login.tenant is
    'The tenant.  Who shall reach all of them is a member of devcred_registrar or devcred_auditor instead.';
comment on column devcred.tenant_login.read_only is
    'Whether it sees, and changes nothing.';
comment on column devcred.tenant_login.granted_at is
    'When this was granted.';
comment on column devcred.tenant_login.granted_by is
    'Database role of the session that granted it.';

-- Who creates a request by a plain statement.
alter table devcred.newdevice_request
    alter column owner set default 'db:' || session_user;

-- Whoever reads a view needs the right to read its columns, and these have no
-- secret in them.
alter table devcred.newdevice_request
    add column has_token bool not null
        generated always as (token_hash is not null) stored,
    add column claimant_count int not null
        generated always as (cardinality(claimants)) stored;
comment on column devcred.newdevice_request.has_token is
    'Whether a security token was sent with the first poll.';
comment on column devcred.newdevice_request.claimant_count is
    'How many have asked for the id; 20 at most.';

-- Settings of tenants change seldom, and who changed them matters.
create table devcred.setting_event (
    seq bigint generated always as identity,
    at timestamptz not null default clock_timestamp(),
    tenant text collate "C" not null,
    setting text not null,
    value_before text,
    value_after text,
    actor text not null,
    source inet,
    db_user name not null default session_user,
    request_id text,
    constraint setting_event_pkey
        primary key (seq)
);
comment on table devcred.setting_event is
    'Append-only record of every change of a tenant''s settings.';
comment on column devcred.setting_event.seq is
    'Order in which changes were recorded.';
comment on column devcred.setting_event.at is
    'When, by the database''s clock.';
comment on column devcred.setting_event.tenant is
    'The tenant.';
comment on column devcred.setting_event.setting is
    'What was set: a column of tenant.';
comment on column devcred.setting_event.value_before is
    'What it was before; null: not set.';
comment on column devcred.setting_event.value_after is
    'What it is now; null: not set.';
comment on column devcred.setting_event.actor is
    'Who: a user (tenant/name) or a database role (db:name).';
comment on column devcred.setting_event.source is
    'Address the request came from, as the web server saw it; null from a database session.';
comment on column devcred.setting_event.db_user is
    'Database role of the session that recorded it.';
comment on column devcred.setting_event.request_id is
    'Id of the HTTP request that did it; null: not done through the service.';

create or replace function devcred.event_is_append_only()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception '%.% is append-only', tg_table_schema, tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;
comment on function devcred.event_is_append_only() is
    'Trigger: no event is ever changed or removed.';
create trigger setting_event_append_only
    before update or delete on devcred.setting_event
    for each row execute function devcred.event_is_append_only();
comment on trigger setting_event_append_only on devcred.setting_event is
    'Second line behind the missing privileges.';
create trigger setting_event_append_only_truncate
    before truncate on devcred.setting_event
    for each statement execute function devcred.event_is_append_only();
comment on trigger setting_event_append_only_truncate on devcred.setting_event is
    'Second line behind the missing privileges.';

-- What a tenant's administrators look at.
create index event_tenant
    on devcred.event (tenant, seq);
comment on index devcred.event_tenant is
    'A tenant''s events, newest first.';

-- It tells more now; sql/ makes it anew.
drop function if exists devcred.newdevice_list(text, devcred.request_status, text, int, bigint, bool);
