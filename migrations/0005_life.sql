-- The life of a credential: delivery that can be repeated, use, rotation,
-- expiry and end; and who claims a device id.

alter type devcred.outcome add value 'redelivered';
alter type devcred.outcome add value 'decommissioned';
comment on type devcred.outcome is
    'How an operation ended.  Expected results are values, never exceptions, so
that a refusal commits what it has to record.  ok: done; absent: no such request
or credential for this tenant; exists: the id is taken; wrong_state: the request
is in a state that does not allow it; token_mismatch: the security token differs;
token_blocked: it differed once too often, the request is BLOCKED now;
no_tenant: the tenant named does not exist, or has to be named; limit_reached: the
tenant has as many devices as it may have; updated: the device had credentials,
and has new ones; redelivered: issued before, and handed over again;
decommissioned: the id was decommissioned, and is accepted one by one only.';

-- Claims ----------------------------------------------------------------------

alter table devcred.newdevice_request
    add column claimants bytea[] not null default '{}',
    add constraint newdevice_request_claimants_are_few
        check (cardinality(claimants) <= 20);
comment on column devcred.newdevice_request.claimants is
    'Digests of those who have asked for the id; details are in claimant.  The first 20 count.';

create table devcred.claimant (
    registration bigint not null,
    digest bytea not null,
    device_id text collate "C" not null,
    tenant text collate "C" not null,
    actor text not null,
    source inet,
    agent text,
    has_token bool not null,
    claimed_at timestamptz not null default clock_timestamp(),
    constraint claimant_pkey
        primary key (registration, digest),
    constraint claimant_registration_fkey
        foreign key (registration) references devcred.newdevice_request (seq)
        on delete cascade
);
comment on table devcred.claimant is
    'Who has asked for the credentials of a device that is on its way in: more than one is worth a look before accepting.';
comment on column devcred.claimant.registration is
    'newdevice_request.seq of the request.';
comment on column devcred.claimant.digest is
    'First 16 bytes of SHA-256 of bootstrap account, address, agent and token.';
comment on column devcred.claimant.device_id is
    'Device id asked for.';
comment on column devcred.claimant.tenant is
    'Tenant of the request.';
comment on column devcred.claimant.actor is
    'Bootstrap account, tenant/name.';
comment on column devcred.claimant.source is
    'Address, as the web server saw it.';
comment on column devcred.claimant.agent is
    'User-Agent header, at most 200 bytes; written by the device, or whoever it is.';
comment on column devcred.claimant.has_token is
    'Whether a security token was sent.';
comment on column devcred.claimant.claimed_at is
    'When this claimant first asked.';

-- Credentials -----------------------------------------------------------------

alter table devcred.device_credential
    drop constraint device_credential_pkey,
    add constraint device_credential_pkey
        primary key (device_id, tenant),
    add column seal_key text collate "C",
    add column sealed bytea,
    add column delivery_until timestamptz,
    add column delivery_limit int not null default 1,
    add column deliveries int not null default 0,
    add column claimed_by text,
    add column claim_token bytea,
    add column refused_at timestamptz,
    add column reopened_at timestamptz,
    add column first_used_at timestamptz,
    add column failures bigint not null default 0,
    add column failed_at timestamptz,
    add column disabled_at timestamptz,
    add column expires_at timestamptz,
    add column old_salt bytea,
    add column old_hash bytea,
    add column old_until timestamptz,
    add column crypt_hash text collate "C",
    add constraint device_credential_is_sealed_whole
        check ((sealed is null) = (seal_key is null)
            and (sealed is null or delivery_until is not null)),
    add constraint device_credential_deliveries_are_counts
        check (deliveries >= 0 and delivery_limit >= 0 and failures >= 0),
    add constraint device_credential_token_is_a_digest
        check (octet_length(claim_token) = 32),
    add constraint device_credential_old_password_is_whole
        check ((old_hash is null) = (old_salt is null)
            and (old_hash is null) = (old_until is null)),
    add constraint device_credential_old_password_is_a_digest
        check (octet_length(old_salt) = 16 and octet_length(old_hash) = 32),
    add constraint device_credential_crypt_hash_is_bcrypt
        check (crypt_hash ~ '^\$2a\$[0-9]{2}\$[./0-9A-Za-z]{53}$');
create index device_credential_newest
    on devcred.device_credential (tenant, registration desc);
comment on index devcred.device_credential_newest is
    'A tenant''s list, newest first; and how many there are.';
create index device_credential_open
    on devcred.device_credential (delivery_until)
    where sealed is not null;
comment on index devcred.device_credential_open is
    'Delivery windows, for those who close them.';
create index device_credential_rotating
    on devcred.device_credential (old_until)
    where old_hash is not null;
comment on index devcred.device_credential_rotating is
    'Passwords that work beside new ones, for those who end them.';
comment on column devcred.device_credential.password_hash is
    'SHA-256 of password and salt, in this order.  A random password has 190 bits, so nothing slower is needed.';
comment on column devcred.device_credential.seal_key is
    'Id of the key that sealed the password; null when the delivery window is closed.';
comment on column devcred.device_credential.sealed is
    'The password, sealed with a key that is not in the database (AES-256-GCM), while the delivery window is open; then null.';
comment on column devcred.device_credential.delivery_until is
    'When the delivery window closes at the latest.';
comment on column devcred.device_credential.delivery_limit is
    'How often the password may be handed over.';
comment on column devcred.device_credential.deliveries is
    'How often it has been.';
comment on column devcred.device_credential.claimed_by is
    'Bootstrap account that it was issued to; null if an administrator gave it.';
comment on column devcred.device_credential.claim_token is
    'devcred.token_digest() of the security token that it was issued to.';
comment on column devcred.device_credential.refused_at is
    'When a refused redelivery was last audited; at most once a minute.';
comment on column devcred.device_credential.reopened_at is
    'When an administrator reopened the delivery; null when it has been used.';
comment on column devcred.device_credential.first_used_at is
    'When this password was first used, as far as we verified it; null: never.';
comment on column devcred.device_credential.failures is
    'Logins with a wrong password, as far as we verified them.';
comment on column devcred.device_credential.failed_at is
    'When the last of them was.';
comment on column devcred.device_credential.disabled_at is
    'Since when logins are refused; null while they work.';
comment on column devcred.device_credential.expires_at is
    'When it ends to work; null: never.';
comment on column devcred.device_credential.old_salt is
    'Salt of the password before a rotation.';
comment on column devcred.device_credential.old_hash is
    'Its digest: it works until the new one is used, or old_until.';
comment on column devcred.device_credential.old_until is
    'When the old password ends to work at the latest.';
comment on column devcred.device_credential.crypt_hash is
    'bcrypt $2a$ hash of the password for readers that need crypt(3); null unless the setting crypt_cost asks for it.';

create table devcred.decommissioned (
    device_id text collate "C" not null,
    tenant text collate "C" not null,
    at timestamptz not null default clock_timestamp(),
    actor text not null,
    constraint decommissioned_pkey
        primary key (device_id, tenant),
    constraint decommissioned_tenant_fkey
        foreign key (tenant) references devcred.tenant (id)
);
comment on table devcred.decommissioned is
    'Device ids that were taken out of service.  Whoever comes with one again is accepted one by one only, never in bulk.';
comment on column devcred.decommissioned.device_id is
    'Device id.';
comment on column devcred.decommissioned.tenant is
    'Tenant it belonged to.';
comment on column devcred.decommissioned.at is
    'When.';
comment on column devcred.decommissioned.actor is
    'Who did it.';

-- Logins of devices that do not exist take as long as others: they are counted
-- here.
create table devcred.decoy (
    slot int not null,
    failures bigint not null default 0,
    constraint decoy_pkey
        primary key (slot)
) with (fillfactor = 50);
insert into devcred.decoy (slot) select generate_series(0, 63);
comment on table devcred.decoy is
    'Failed logins of devices that do not exist, so that they cost what others cost.';
comment on column devcred.decoy.slot is
    'One of several, so that nobody waits.';
comment on column devcred.decoy.failures is
    'How many.';

create type devcred.credential_state as (
    outcome devcred.outcome,
    id text,
    tenant text,
    username text,
    status text,
    generation int,
    issued text,
    issued_to text,
    first_used text,
    expires text,
    delivery text,
    deliveries int,
    failures bigint,
    accepted_by text,
    custom_properties jsonb
);
comment on type devcred.credential_state is
    'A credential as administrators see it, without secrets; times are ISO 8601.  status: ACTIVE, DISABLED or EXPIRED.
delivery: OPEN (the password can be delivered again), REOPENED (the next poll gets a new one) or CLOSED.';

alter table devcred.event
    drop constraint event_operation_is_known,
    add constraint event_operation_is_known
        check (operation in ('newdevice_create', 'newdevice_claim',
            'newdevice_claim_other', 'newdevice_claim_issued',
            'newdevice_accept', 'newdevice_block', 'newdevice_lift',
            'newdevice_delete', 'newdevice_refuse',
            'credential_issue', 'credential_deliver', 'credential_refuse',
            'credential_reissue', 'credential_confirm', 'credential_create',
            'credential_rotate', 'credential_disable', 'credential_enable',
            'credential_expire', 'credential_reopen', 'credential_revoke',
            'credential_decommission'));
comment on column devcred.event.operation is
    'What was decided: newdevice_create (registered), newdevice_claim (device asked for the first time), newdevice_claim_other (somebody
else asked for it), newdevice_claim_issued (asked for by a device that has credentials), newdevice_accept, newdevice_block, newdevice_lift (block
lifted), newdevice_delete, newdevice_refuse (poll with another security token); credential_issue, credential_deliver (the same password again),
credential_refuse (asked for again, and refused), credential_reissue (a new password after reopening), credential_confirm (first use),
credential_create (an administrator gave the device its password), credential_rotate, credential_disable, credential_enable, credential_expire
(an end was set), credential_reopen, credential_revoke, credential_decommission.';
