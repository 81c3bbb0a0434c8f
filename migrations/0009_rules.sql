-- Rules that accept by themselves, what time ends, how many requests a tenant
-- may have at once, and a queue for whoever wants to be told.

alter table devcred.event
    drop constraint event_operation_is_known,
    add constraint event_operation_is_known
        check (operation in ('newdevice_create', 'newdevice_claim',
            'newdevice_claim_other', 'newdevice_claim_issued',
            'newdevice_accept', 'newdevice_block', 'newdevice_lift',
            'newdevice_delete', 'newdevice_refuse', 'newdevice_expire',
            'credential_issue', 'credential_deliver', 'credential_refuse',
            'credential_reissue', 'credential_confirm', 'credential_create',
            'credential_rotate', 'credential_disable', 'credential_enable',
            'credential_expire', 'credential_reopen', 'credential_revoke',
            'credential_decommission'));
comment on column devcred.event.operation is
    'What was decided: newdevice_create (registered), newdevice_claim (device asked for the first time), newdevice_claim_other (somebody
else asked for it), newdevice_claim_issued (asked for by a device that has credentials), newdevice_accept, newdevice_block, newdevice_lift (block
lifted), newdevice_delete, newdevice_refuse (poll with another security token), newdevice_expire (waited too long); credential_issue, credential_deliver
(the same password again), credential_refuse (asked for again, and refused), credential_reissue (a new password after reopening), credential_confirm
(first use), credential_create (an administrator gave the device its password), credential_rotate, credential_disable, credential_enable,
credential_expire (an end was set), credential_reopen, credential_revoke, credential_decommission.';
comment on column devcred.event.actor is
    'Who: a user (tenant/name), a database role (db:name), a rule (rule:name), or devcred itself (housekeeping).';

alter table devcred.newdevice_request
    add column lifted_at timestamptz;
comment on column devcred.newdevice_request.lifted_at is
    'When a block was lifted so that another device may ask: from then on it waits; null: since it was created.';

-- Settings of a tenant ----------------------------------------------------------

alter table devcred.tenant
    add column waiting_expiry interval,
    add column pending_expiry interval,
    add column request_quota int,
    add column outbox bool not null default false,
    add constraint tenant_expiry_is_a_while
        check (waiting_expiry >= interval '1 minute'
            and pending_expiry >= interval '1 minute'),
    add constraint tenant_request_quota_is_a_count
        check (request_quota >= 0);
comment on column devcred.tenant.waiting_expiry is
    'How long a request waits for its device to connect before it is withdrawn; null: for ever.';
comment on column devcred.tenant.pending_expiry is
    'How long a device that waits to be accepted may be silent before its request is withdrawn; null: for ever.';
comment on column devcred.tenant.request_quota is
    'How many requests the tenant may have at once; null: any number.';
comment on column devcred.tenant.outbox is
    'Whether decisions about its devices are put into outbox.';

-- Rules -------------------------------------------------------------------------

create table devcred.accept_rule (
    tenant text collate "C" not null,
    name text collate "C" not null,
    enabled bool not null default true,
    id_pattern text collate "C" not null,
    source cidr,
    type text,
    needs_token bool not null default false,
    valid_from timestamptz,
    valid_until timestamptz,
    quota int,
    used int not null default 0,
    created_at timestamptz not null default clock_timestamp(),
    created_by text not null,
    constraint accept_rule_pkey
        primary key (tenant, name),
    constraint accept_rule_tenant_fkey
        foreign key (tenant) references devcred.tenant (id),
    constraint accept_rule_name_is_a_plain_word
        check (name ~ '^[a-z0-9][a-z0-9_.-]*$' and char_length(name) <= 64),
    constraint accept_rule_id_pattern_is_not_empty
        check (char_length(id_pattern) between 1 and 1000),
    constraint accept_rule_is_valid_for_a_while
        check (valid_from < valid_until),
    constraint accept_rule_quota_is_a_count
        check (quota >= 0 and used >= 0)
);
comment on table devcred.accept_rule is
    'Who is accepted without an administrator: a device that asks for the first time and fits a rule of its tenant, the first by name.  Never one that was
decommissioned, nor beyond the limit of devices.';
comment on column devcred.accept_rule.tenant is
    'Whose devices it accepts.';
comment on column devcred.accept_rule.name is
    'Name of the rule: a to z, digits, _ . and -, at most 64.  Rules are tried in the order of their names.';
comment on column devcred.accept_rule.enabled is
    'Whether it accepts anything.';
comment on column devcred.accept_rule.id_pattern is
    'The whole device id, with * for any characters and ? for one.  Not a regular expression, which can be made to take for ever.';
comment on column devcred.accept_rule.source is
    'Network that the device asks from, as the web server sees it; null: any.';
comment on column devcred.accept_rule.type is
    'Type of the request; null: any.';
comment on column devcred.accept_rule.needs_token is
    'Accept only devices that send a security token (true), or only those that send none (false).  A rule knows no token to compare: it takes the
one that came first.';
comment on column devcred.accept_rule.valid_from is
    'From when; null: always.';
comment on column devcred.accept_rule.valid_until is
    'Until when, not included; null: always.';
comment on column devcred.accept_rule.quota is
    'How many devices it accepts in all; null: any number.';
comment on column devcred.accept_rule.used is
    'How many it has accepted.';
comment on column devcred.accept_rule.created_at is
    'When the rule was made, or changed as a whole.';
comment on column devcred.accept_rule.created_by is
    'Who did: a user (tenant/name) or a database role (db:name).';

-- Outbox ------------------------------------------------------------------------

create table devcred.outbox (
    seq bigint generated always as identity,
    at timestamptz not null default clock_timestamp(),
    tenant text collate "C" not null,
    registration bigint not null,
    device_id text collate "C" not null,
    operation text not null,
    actor text not null,
    status_after devcred.request_status,
    constraint outbox_pkey
        primary key (seq)
);
comment on table devcred.outbox is
    'Decisions that somebody wants to be told of, until outbox_take() takes them; of tenants that have it on.  NOTIFY devcred_outbox wakes up who takes.';
comment on column devcred.outbox.seq is
    'Order in which they were put here.';
comment on column devcred.outbox.at is
    'When.';
comment on column devcred.outbox.tenant is
    'Tenant of the device.';
comment on column devcred.outbox.registration is
    'newdevice_request.seq of the registration it belongs to.';
comment on column devcred.outbox.device_id is
    'Device id.';
comment on column devcred.outbox.operation is
    'What was decided, as in event.';
comment on column devcred.outbox.actor is
    'Who did, as in event.';
comment on column devcred.outbox.status_after is
    'Status of the request; null if it is gone.';

-- It tells more now; sql/ makes it anew.
drop function if exists devcred.housekeep(int);
drop function if exists devcred.tenant_set(text, text, inet, text, devcred.token_policy, text, text);
