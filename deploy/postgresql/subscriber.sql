-- Tables of a reporting database that subscribes to publication.sql.  They are
-- called as those of devcred are, because replication goes by name, and are
-- plain: words instead of types of devcred's, no rules, no secrets.  Run in an
-- empty database, then subscribe:
--
--     create subscription devcred_report
--         connection 'host=... dbname=... user=devcred_replica password=...'
--         publication devcred_report;

begin;
create schema devcred;

create table devcred.tenant (
    id text collate "C" primary key,
    domain_name text,
    token_policy text not null,
    created_at timestamptz not null,
    device_limit int
);
create table devcred.tenant_user (
    tenant text collate "C" not null,
    name text collate "C" not null,
    roles text[] not null,
    disabled_at timestamptz,
    created_at timestamptz not null,
    password_at timestamptz not null,
    primary key (tenant, name)
);
create table devcred.newdevice_request (
    id text collate "C" primary key,
    tenant text not null,
    seq bigint not null,
    status text not null,
    owner text not null,
    created_at timestamptz not null,
    group_id text,
    type text,
    custom_properties jsonb not null,
    claimed_at timestamptz,
    claimed_from inet,
    last_seen_at timestamptz,
    refused_at timestamptz,
    token_failures int not null,
    accepted_at timestamptz,
    accepted_by text
);
create table devcred.device_credential (
    device_id text collate "C" not null,
    tenant text collate "C" not null,
    username text generated always as ('device_' || device_id) stored,
    generation int not null,
    registration bigint not null,
    issued_at timestamptz not null,
    issued_to inet,
    accepted_at timestamptz not null,
    accepted_by text not null,
    custom_properties jsonb not null,
    delivery_until timestamptz,
    delivery_limit int not null,
    deliveries int not null,
    claimed_by text,
    refused_at timestamptz,
    reopened_at timestamptz,
    first_used_at timestamptz,
    failures bigint not null,
    failed_at timestamptz,
    disabled_at timestamptz,
    expires_at timestamptz,
    old_until timestamptz,
    primary key (device_id, tenant)
);
create table devcred.decommissioned (
    device_id text collate "C" not null,
    tenant text collate "C" not null,
    at timestamptz not null,
    actor text not null,
    primary key (device_id, tenant)
);
create table devcred.event (
    seq bigint primary key,
    at timestamptz not null,
    tenant text not null,
    registration bigint not null,
    device_id text not null,
    operation text not null,
    outcome text not null,
    actor text not null,
    source inet,
    db_user name not null,
    status_before text,
    status_after text,
    request_id text
);
create index event_device on devcred.event (device_id, seq);

commit;
