-- What devices ask for.  Both functions answer for a group of devices at once:
-- one array an argument, n numbers the places from 1.

create or replace function devcred.token_digest(p_id text, p_token text)
returns bytea
language sql immutable strict
set search_path = pg_catalog, pg_temp
as $$
    select sha256(convert_to('devcred security token' || chr(10) || p_id || chr(10) || p_token, 'UTF8'))
$$;
comment on function devcred.token_digest(text, text) is
    'Digest under which a security token is kept and compared; the device id is its salt.';

create or replace function devcred.credential_look(
    p_id text[],
    p_scope text[],
    p_token bytea[])
returns table (
    n int,
    status devcred.request_status,
    settled bool)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set enable_hashjoin = off
set enable_mergejoin = off
as $$
begin
    return query
    select a.n::int,
           r.status,
           r.status = 'BLOCKED'
           or (r.status = 'PENDING_ACCEPTANCE'
               and r.token_hash is not distinct from a.token
               and r.last_seen_at > now() - interval '1 minute')
           or (r.status in ('PENDING_ACCEPTANCE', 'ACCEPTED')
               and r.token_hash is distinct from a.token
               and coalesce(r.refused_at > now() - interval '1 minute', false))
      from unnest(p_id, p_scope, p_token) with ordinality a (id, scope, token, n)
      join devcred.newdevice_request r
        on r.id = a.id
       and (r.tenant = a.scope or a.scope = 'management');
end
$$;
comment on function devcred.credential_look(text[], text[], bytea[]) is
    'Polls, answered without writing.  No row: no such request in reach.  settled: status is the answer and nothing has to
be recorded; else credential_issue() must decide.  ACCEPTED and settled: the security token is another one, and that was
audited less than a minute ago.';

create or replace function devcred.credential_issue(
    p_id text[],
    p_scope text[],
    p_actor text[],
    p_source inet[],
    p_token bytea[],
    p_salt bytea[],
    p_hash bytea[])
returns table (
    n int,
    outcome devcred.outcome,
    status devcred.request_status,
    tenant text,
    custom_properties jsonb)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
    -- lock first, in one order for everybody, so that groups never deadlock
    perform
       from devcred.newdevice_request r
      where r.id = any (p_id)
        and exists (select
                      from unnest(p_id, p_scope) a (id, scope)
                     where a.id = r.id
                       and (a.scope = r.tenant or a.scope = 'management'))
      order by r.id
        for update;

    -- ... then check and change what is now certain
    return query
    with known as (
        select a.*,
               r.tenant,
               r.seq,
               r.status,
               r.accepted_at,
               r.accepted_by,
               r.custom_properties,
               r.last_seen_at,
               r.refused_at,
               r.status <> 'WAITING_FOR_CONNECTION'
                   and t.token_policy <> 'IGNORED'
                   and r.token_hash is distinct from a.token as other_token,
               case when t.token_policy = 'REQUIRED' and a.token is null
                   then 'BLOCKED' else 'PENDING_ACCEPTANCE'
               end::devcred.request_status as claimed
          from unnest(p_id, p_scope, p_actor, p_source, p_token, p_salt, p_hash)
               with ordinality a (id, scope, actor, source, token, salt, hash, n)
          join devcred.newdevice_request r
            on r.id = a.id
           and (r.tenant = a.scope or a.scope = 'management')
          join devcred.tenant t
            on t.id = r.tenant
    ), ask as materialized (
        -- who brings another token must not be in the way of who does not
        select k.*,
               row_number() over (partition by k.id, k.other_token order by k.n) = 1 as first,
               first_value(k.claimed) over (partition by k.id order by k.n) as becomes
          from known k
    ), claim as (
        update devcred.newdevice_request r
           set status = a.becomes,
               claimed_at = clock_timestamp(),
               claimed_from = a.source,
               last_seen_at = clock_timestamp(),
               token_hash = a.token
          from ask a
         where r.id = a.id
           and a.first
           and a.status = 'WAITING_FOR_CONNECTION'
    ), seen as (
        update devcred.newdevice_request r
           set last_seen_at = clock_timestamp()
          from ask a
         where r.id = a.id
           and a.first
           and a.status = 'PENDING_ACCEPTANCE'
           and not a.other_token
           and a.last_seen_at <= now() - interval '1 minute'
    ), refuse as (
        update devcred.newdevice_request r
           set refused_at = clock_timestamp()
          from ask a
         where r.id = a.id
           and a.first
           and a.status in ('PENDING_ACCEPTANCE', 'ACCEPTED')
           and a.other_token
           and (a.refused_at is null or a.refused_at <= now() - interval '1 minute')
        returning a.n
    ), issue as (
        delete from devcred.newdevice_request r
         using ask a
         where r.id = a.id
           and a.first
           and a.status = 'ACCEPTED'
           and not a.other_token
        returning a.n
    ), credential as (
        insert into devcred.device_credential as c
               (tenant, device_id, password_salt, password_hash, registration,
                issued_to, accepted_at, accepted_by, custom_properties)
        select a.tenant, a.id, a.salt, a.hash, a.seq,
               a.source, a.accepted_at, a.accepted_by, a.custom_properties
          from ask a
          join issue i on i.n = a.n
         order by a.id
        on conflict (tenant, device_id) do update
           set password_salt = excluded.password_salt,
               password_hash = excluded.password_hash,
               generation = c.generation + 1,
               registration = excluded.registration,
               issued_at = excluded.issued_at,
               issued_to = excluded.issued_to,
               accepted_at = excluded.accepted_at,
               accepted_by = excluded.accepted_by,
               custom_properties = excluded.custom_properties
    ), event as (
        insert into devcred.event
               (tenant, registration, device_id, operation, outcome, actor, source,
                status_before, status_after)
        select a.tenant, a.seq, a.id,
               case when a.status = 'WAITING_FOR_CONNECTION' then 'newdevice_claim'
                    when a.other_token then 'newdevice_refuse'
                    else 'credential_issue' end,
               case when a.other_token then 'token_mismatch' else 'ok' end::devcred.outcome,
               a.actor, a.source, a.status,
               case when a.status = 'WAITING_FOR_CONNECTION' then a.becomes
                    when a.other_token then a.status end
          from ask a
         where (a.first and a.status = 'WAITING_FOR_CONNECTION')
            or a.n in (select n from refuse)
            or a.n in (select n from issue)
         order by a.n
    )
    select a.n::int,
           case when a.status = 'ACCEPTED' and a.other_token then 'token_mismatch'
                when a.status = 'ACCEPTED' and a.first then 'ok'
                when a.status = 'ACCEPTED' then 'absent'
                else 'wrong_state' end::devcred.outcome,
           case when a.status = 'WAITING_FOR_CONNECTION' then a.becomes
                else a.status end,
           a.tenant,
           a.custom_properties
      from ask a;
end
$$;
comment on function devcred.credential_issue(text[], text[], text[], inet[], bytea[], bytea[], bytea[]) is
    'Polls that have to be recorded.  WAITING_FOR_CONNECTION becomes PENDING_ACCEPTANCE (BLOCKED where a required token is
missing); an ACCEPTED request becomes a credential with the salt and hash given for it, in this one transaction, for the first in the
group who asks with the right token.  ok: issued, hand over the password; token_mismatch: another security token than the one that claimed the id (audited
at most once a minute); wrong_state: status says where it stands; absent: issued to another just now; no row: no such request in reach.';
