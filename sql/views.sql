-- Views for people who look: no secret in any of them.  They show what whoever
-- asks may see, by the policies in reach.sql.

create or replace function devcred.iso_time(p_at timestamptz)
returns text
language sql stable strict parallel safe
return pg_catalog.to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+00:00"');
comment on function devcred.iso_time(timestamptz) is
    'ISO 8601 with milliseconds and offset, as the API writes times.';

create or replace view devcred.audit
with (security_invoker) as
select e.seq,
       e.at,
       e.tenant,
       e.registration,
       e.device_id,
       e.operation,
       e.outcome,
       e.actor,
       e.source,
       e.db_user,
       e.status_before,
       e.status_after,
       e.request_id
  from devcred.event e;
comment on view devcred.audit is
    'Every decision, one row each, in the order they were recorded (seq).';

create or replace view devcred.registration
with (security_invoker) as
select e.device_id,
       e.tenant,
       e.registration,
       min(e.at) filter (where e.operation in ('newdevice_create', 'credential_create')) as created_at,
       min(e.actor) filter (where e.operation in ('newdevice_create', 'credential_create')) as created_by,
       min(e.source) filter (where e.operation in ('newdevice_create', 'credential_create')) as created_from,
       max(e.at) filter (where e.operation = 'newdevice_claim') as claimed_at,
       (array_agg(e.source order by e.seq desc) filter (where e.operation = 'newdevice_claim'))[1] as claimed_from,
       max(e.at) filter (where e.operation = 'newdevice_accept' and e.outcome = 'ok') as accepted_at,
       (array_agg(e.actor order by e.seq desc) filter (where e.operation = 'newdevice_accept' and e.outcome = 'ok'))[1] as accepted_by,
       (array_agg(e.source order by e.seq desc) filter (where e.operation = 'newdevice_accept' and e.outcome = 'ok'))[1] as accepted_from,
       max(e.at) filter (where e.operation in ('credential_issue', 'credential_create')) as issued_at,
       (array_agg(e.source order by e.seq desc) filter (where e.operation = 'credential_issue'))[1] as issued_to,
       max(e.at) filter (where e.operation = 'newdevice_delete') as deleted_at,
       (array_agg(e.actor order by e.seq desc) filter (where e.operation = 'newdevice_delete'))[1] as deleted_by
  from devcred.event e
 group by e.device_id, e.tenant, e.registration;
comment on view devcred.registration is
    'One row for each registration, living or past: who created and accepted it, when and from where, and when the device got its credentials.';

create or replace view devcred.request
with (security_invoker) as
select r.id,
       r.tenant,
       r.seq as registration,
       r.status,
       r.owner,
       r.created_at,
       r.group_id,
       r.type,
       r.custom_properties,
       r.claimed_at,
       r.claimed_from,
       r.last_seen_at,
       r.has_token,
       r.token_failures,
       r.accepted_at,
       r.accepted_by,
       r.claimant_count as claimants,
       d.at as decommissioned_at
  from devcred.newdevice_request r
  left join devcred.decommissioned d
    on d.device_id = r.id
   and d.tenant = r.tenant;
comment on view devcred.request is
    'Live new device requests, without their security tokens.  claimants: how many have asked for the id, 20 at most, see claim;
decommissioned_at: when the id was taken out of service before.';

create or replace view devcred.claim
with (security_invoker) as
select c.device_id,
       c.tenant,
       c.registration,
       c.claimed_at,
       c.source,
       c.agent,
       c.has_token,
       c.actor
  from devcred.claimant c;
comment on view devcred.claim is
    'Who has asked for the credentials of devices that are on their way in, one row for each; first the one whose token counts.';

create or replace view devcred.credential
with (security_invoker) as
select c.tenant,
       c.device_id,
       c.username,
       c.generation,
       c.registration,
       c.issued_at,
       c.issued_to,
       c.accepted_at,
       c.accepted_by,
       case when c.disabled_at is not null then 'DISABLED'
            when c.expires_at <= now() then 'EXPIRED'
            else 'ACTIVE' end as status,
       c.first_used_at,
       c.failures,
       c.failed_at,
       c.disabled_at,
       c.expires_at,
       c.deliveries,
       c.seal_key is not null and c.delivery_until > now() as delivery_open,
       c.delivery_until,
       c.old_until
  from devcred.device_credential c;
comment on view devcred.credential is
    'Issued credentials, without hashes.';

create or replace view devcred.retired
with (security_invoker) as
select d.device_id,
       d.tenant,
       d.at as retired_at,
       d.actor as retired_by
  from devcred.decommissioned d;
comment on view devcred.retired is
    'Device ids that were taken out of service, when and by whom.  They may have come back since, see request and credential.';

-- For readers that compare themselves: a role that sees this and nothing else.
create or replace view devcred.device_login
with (security_barrier) as
select c.tenant || '/' || c.username as login,
       c.tenant,
       c.username,
       c.crypt_hash as password,
       '{SSHA256}' || translate(encode(c.password_hash || c.password_salt, 'base64'), E'\n', '') as ssha256,
       encode(c.password_hash, 'hex') as sha256_hex,
       encode(c.password_salt, 'hex') as salt_hex
  from devcred.device_credential c
 where c.disabled_at is null
   and (c.expires_at is null or c.expires_at > now());
comment on view devcred.device_login is
    'Logins of devices that work now, for web servers, mail servers and brokers that compare passwords themselves.  password: bcrypt $2a$, if the setting
crypt_cost is on; ssha256 and sha256_hex: SHA-256 of password and salt in this order.  A password that works beside a new one is not here: verify() knows it.';

create or replace view devcred.login
with (security_invoker) as
select u.tenant,
       u.name,
       u.roles,
       u.disabled_at,
       u.created_at,
       u.password_at
  from devcred.tenant_user u;
comment on view devcred.login is
    'People and bootstrap users, without hashes.';

create or replace view devcred.customer
with (security_invoker) as
select t.id,
       t.domain_name,
       t.token_policy,
       t.created_at,
       t.device_limit,
       t.waiting_expiry,
       t.pending_expiry,
       t.request_quota,
       t.outbox
  from devcred.tenant t;
comment on view devcred.customer is
    'Tenants.';

create or replace view devcred.setting
with (security_invoker) as
select s.seq,
       s.at,
       s.tenant,
       s.setting,
       s.value_before,
       s.value_after,
       s.actor,
       s.source,
       s.db_user,
       s.request_id
  from devcred.setting_event s;
comment on view devcred.setting is
    'Every change of a tenant''s settings, in the order they were recorded (seq).';

create or replace view devcred.rule
with (security_invoker) as
select u.tenant,
       u.name,
       u.enabled,
       u.id_pattern,
       u.source,
       u.type,
       u.needs_token,
       u.valid_from,
       u.valid_until,
       u.quota,
       u.used,
       u.created_at,
       u.created_by
  from devcred.accept_rule u;
comment on view devcred.rule is
    'Rules that accept without an administrator, and how many devices each has accepted.';
