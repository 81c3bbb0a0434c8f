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

create or replace function devcred.token_guess(
    p_id text[],
    p_scope text[],
    p_source inet[],
    p_token bytea[])
returns bytea[]
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
as $$
declare
    v_wrong bytea[] := '{}';
    v_seen text[] := '{}';
    v_digests bytea[];
    g record;
begin
    for g in
        select a.n, a.id, a.source, s.home, s.token is distinct from a.token as wrong
          from unnest(p_id, p_scope, p_source, p_token)
               with ordinality a (id, scope, source, token, n)
         cross join lateral (
               select r.claimed_from, r.token_hash
                 from devcred.newdevice_request r
                 join devcred.tenant t
                   on t.id = r.tenant
                where r.id = a.id
                  and (r.tenant = a.scope or a.scope = 'management')
                  and r.status = 'ACCEPTED'
                  and t.token_policy <> 'IGNORED'
                union all
               -- the one that credential_deliver() would look at
               select d.issued_to, d.claim_token
                 from (select *
                         from devcred.device_credential c
                        where c.device_id = a.id
                          and (c.tenant = a.scope or a.scope = 'management')
                        order by c.registration desc
                        limit 1) d
                where (d.sealed is not null or d.reopened_at is not null)
                  and d.delivery_until > now()
                  and not exists (select
                                    from devcred.newdevice_request r
                                   where r.id = a.id
                                     and (r.tenant = a.scope or a.scope = 'management'))
                ) s (home, token)
         where a.token is not null
           and s.token is not null
    loop
        -- those of this group are counted when all of them are known
        if devcred.token_wait(g.id, g.source, g.home) > 0
                or cardinality(array_positions(v_seen, g.id || ' ' || host(g.source))) >= 10 then
            p_token[g.n] := null;
        elsif g.wrong and g.source is not null then
            v_seen := v_seen || (g.id || ' ' || host(g.source));
            v_digests := devcred.guess_digests('token', quote_literal(g.id), g.source);
            v_wrong := v_wrong || v_digests;
        end if;
    end loop;
    if v_wrong <> '{}' then
        perform devcred.guess_failed(v_wrong);
    end if;
    return p_token;
end
$$;
comment on function devcred.token_guess(text[], text[], inet[], bytea[]) is
    'Count the security tokens that are wrong, where a right one would get a password; and those that are not to be looked at (token_wait()) are
as if they had not been given.';

create or replace function devcred.seen_lag(p_claimed timestamptz)
returns interval
language sql stable
return least(interval '1 hour', greatest(interval '1 minute', (now() - p_claimed) / 24));
comment on function devcred.seen_lag(timestamptz) is
    'How old last_seen_at may become before a poll writes it anew: the longer a device has been asking, the less a minute matters.  Without it a fleet
that asks every few minutes, as it is told to when there is much to do, would write with every poll.';

create or replace function devcred.credential_look(
    p_id text[],
    p_scope text[],
    p_token bytea[],
    p_claimant bytea[],
    p_source inet[] default null)
returns table (
    n int,
    status devcred.request_status,
    settled bool,
    tenant text,
    generation int)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    v_recently timestamptz := now() - interval '1 minute';
    v_found int;
begin
    -- offset 0: a lookup for each id, whatever the statistics say; settings of
    -- the planner would have to be made at each call
    return query
    select a.n::int,
           r.status,
           r.status = 'BLOCKED'
           or (r.status = 'PENDING_ACCEPTANCE'
               and r.token_hash is not distinct from a.token
               and (r.last_seen_at > v_recently
                   or r.last_seen_at > now() - devcred.seen_lag(r.claimed_at))
               and (a.claimant = any (r.claimants)
                   or cardinality(r.claimants) = 20))
           or (r.status in ('PENDING_ACCEPTANCE', 'ACCEPTED')
               and r.token_hash is distinct from a.token
               and coalesce(r.refused_at > v_recently, false)
               -- else it is a guess, and counted
               and (r.status = 'PENDING_ACCEPTANCE' or r.token_hash is null or a.token is null))
           or (r.status = 'ACCEPTED'
               and r.token_hash is not null
               and a.token is not null
               and devcred.token_wait(r.id, a.source, r.claimed_from) > 0),
           case when r.status = 'ACCEPTED' then r.tenant end,
           case when r.status = 'ACCEPTED' then 1 + coalesce((
                select c.generation
                  from devcred.device_credential c
                 where c.device_id = r.id
                   and c.tenant is not distinct from r.tenant), 0) end
      from unnest(p_id, p_scope, p_token, p_claimant, p_source)
           with ordinality a (id, scope, token, claimant, source, n)
     cross join lateral (
           select q.*
             from devcred.newdevice_request q
            where q.id = a.id
              and (q.tenant = a.scope or a.scope = 'management')
           offset 0) r;
    get diagnostics v_found = row_count;

    -- most polls end here
    if v_found < cardinality(p_id) then
        return query
        select a.n::int,
               null::devcred.request_status,
               coalesce(c.refused_at > v_recently, false)
               and c.sealed is null
               and (c.reopened_at is null or c.delivery_until <= now()),
               c.tenant,
               c.generation + 1
          from unnest(p_id, p_scope) with ordinality a (id, scope, n)
         cross join lateral (
               select d.*
                 from devcred.device_credential d
                where d.device_id = a.id
                  and (d.tenant = a.scope or a.scope = 'management')
                order by d.registration desc
                limit 1) c
         where not exists (select
                             from devcred.newdevice_request r
                            where r.id = a.id
                              and (r.tenant = a.scope or a.scope = 'management')
                           offset 0);
    end if;
end
$$;
comment on function devcred.credential_look(text[], text[], bytea[], bytea[], inet[]) is
    'Polls, answered without writing.  No row: neither a request nor a credential in reach.  settled: status is the answer (null: there is no
request) and nothing has to be recorded; else credential_issue() must decide.  ACCEPTED and settled: the security token is not looked at now (token_wait()),
or only one side has one, which was audited less than a minute ago.  tenant and generation: what a password issued now would be for; null if none would be.';

create or replace function devcred.credential_issue(
    p_id text[],
    p_scope text[],
    p_actor text[],
    p_source inet[],
    p_token bytea[],
    p_claimant bytea[],
    p_agent text[],
    p_tenant text[],
    p_generation int[],
    p_salt bytea[],
    p_hash bytea[],
    p_seal_key text[],
    p_sealed bytea[],
    p_crypt_hash text[],
    p_window int,
    p_limit int,
    p_source_must_match bool,
    p_keys text[],
    p_request text[] default null)
returns table (
    n int,
    outcome devcred.outcome,
    status devcred.request_status,
    tenant text,
    custom_properties jsonb,
    generation int,
    seal_key text,
    sealed bytea,
    other_source bool)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
set jit = off
as $$
#variable_conflict use_column
declare
    v_locked int;
    v_rest bigint[];    -- places of those without a request
    v_locked_at timestamptz;
begin
    -- lock first, in one order for everybody, so that groups never deadlock:
    -- requests, then credentials
    perform
       from devcred.newdevice_request r
      where r.id = any (p_id)
        and exists (select
                      from unnest(p_id, p_scope) a (id, scope)
                     where a.id = r.id
                       and (a.scope = r.tenant or a.scope = 'management'))
      order by r.id
        for update;
    get diagnostics v_locked = row_count;
    perform
       from devcred.device_credential c
      where c.device_id = any (p_id)
        and exists (select
                      from unnest(p_id, p_scope) a (id, scope)
                     where a.id = c.device_id
                       and (a.scope = c.tenant or a.scope = 'management'))
      order by c.device_id, c.tenant
        for update;
    v_locked_at := clock_timestamp();
    if array_remove(p_token, null) <> '{}' then
        p_token := devcred.token_guess(p_id, p_scope, p_source, p_token);
    end if;
    if v_locked < cardinality(p_id) then
        select array_agg(a.n)
          into v_rest
          from unnest(p_id, p_scope) with ordinality a (id, scope, n)
         where not exists (select
                             from devcred.newdevice_request r
                            where r.id = a.id
                              and (r.tenant = a.scope or a.scope = 'management'));
    end if;

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
               r.claimed_at,
               r.last_seen_at,
               r.refused_at,
               r.claimants,
               c.device_id is not null as issued_before,
               r.tenant is not distinct from a.expected_tenant
                   and coalesce(c.generation, 0) + 1 = a.expected_generation as as_expected,
               r.status <> 'WAITING_FOR_CONNECTION'
                   and t.token_policy <> 'IGNORED'
                   and r.token_hash is distinct from a.token as other_token,
               case when t.token_policy = 'REQUIRED' and a.token is null
                   then 'BLOCKED' else 'PENDING_ACCEPTANCE'
               end::devcred.request_status as claimed
          from unnest(p_id, p_scope, p_actor, p_source, p_token, p_claimant, p_agent,
                      p_tenant, p_generation, p_salt, p_hash, p_seal_key, p_sealed,
                      p_crypt_hash, p_request)
               with ordinality a (id, scope, actor, source, token, claimant, agent,
                      expected_tenant, expected_generation, salt, hash, seal_key,
                      sealed, crypt_hash, request, n)
          join devcred.newdevice_request r
            on r.id = a.id
           and (r.tenant = a.scope or a.scope = 'management')
          join devcred.tenant t
            on t.id = r.tenant
          left join devcred.device_credential c
            on c.device_id = r.id
           -- not "=": the index of a tenant's list must not look fit, as it does while there are few
           and c.tenant is not distinct from r.tenant
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
               token_hash = a.token,
               claimants = array[a.claimant]
          from ask a
         where r.id = a.id
           and a.first
           and a.status = 'WAITING_FOR_CONNECTION'
    ), other as (
        -- one that has not asked before
        select a.*
          from ask a
         where a.first
           and a.status = 'PENDING_ACCEPTANCE'
           and a.claimant <> all (a.claimants)
           and cardinality(a.claimants) < 20
    ), seen as (
        update devcred.newdevice_request r
           set last_seen_at = case when s.seen then clock_timestamp() else r.last_seen_at end,
               refused_at = case when s.refused then clock_timestamp() else r.refused_at end,
               claimants = r.claimants || s.more
          from (select a.id,
                       bool_or(not a.other_token
                           and a.last_seen_at <= now() - devcred.seen_lag(a.claimed_at)) as seen,
                       bool_or(a.other_token and (a.refused_at is null
                           or a.refused_at <= now() - interval '1 minute')) as refused,
                       bool_or(a.status = 'ACCEPTED' and not a.other_token
                           and a.as_expected) as issued,
                       (coalesce(array_agg(distinct a.claimant) filter (where a.n in (
                           select o.n from other o)), '{}'))[1:20 - max(cardinality(a.claimants))] as more
                  from ask a
                 where a.first
                   and a.status in ('PENDING_ACCEPTANCE', 'ACCEPTED')
                 group by a.id) s
         where r.id = s.id
           and not s.issued
           and (s.seen and r.status = 'PENDING_ACCEPTANCE'
               or s.refused or cardinality(s.more) > 0)
    ), claimant as (
        insert into devcred.claimant
               (registration, digest, device_id, tenant, actor, source, agent, has_token)
        select a.seq, a.claimant, a.id, a.tenant, a.actor, a.source, a.agent,
               a.token is not null
          from ask a
         where a.first
           and a.status = 'WAITING_FOR_CONNECTION'
            or a.n in (select o.n from other o)
         order by a.seq, a.claimant
        on conflict do nothing
    ), issue as (
        delete from devcred.newdevice_request r
         using ask a
         where r.id = a.id
           and a.first
           and a.status = 'ACCEPTED'
           and not a.other_token
           and a.as_expected
        returning a.n
    ), credential as (
        insert into devcred.device_credential as c
               (tenant, device_id, password_salt, password_hash, registration,
                issued_to, accepted_at, accepted_by, custom_properties, seal_key,
                sealed, delivery_until, delivery_limit, deliveries, claimed_by,
                claim_token, crypt_hash)
        select a.tenant, a.id, a.salt, a.hash, a.seq,
               a.source, a.accepted_at, a.accepted_by, a.custom_properties, a.seal_key,
               a.sealed, clock_timestamp() + make_interval(secs => p_window), p_limit, 1,
               a.actor, a.token, a.crypt_hash
          from ask a
          join issue i on i.n = a.n
         order by a.id
        on conflict (device_id, tenant) do update
           set password_salt = excluded.password_salt,
               password_hash = excluded.password_hash,
               generation = c.generation + 1,
               registration = excluded.registration,
               issued_at = excluded.issued_at,
               issued_to = excluded.issued_to,
               accepted_at = excluded.accepted_at,
               accepted_by = excluded.accepted_by,
               custom_properties = excluded.custom_properties,
               seal_key = excluded.seal_key,
               sealed = excluded.sealed,
               delivery_until = excluded.delivery_until,
               delivery_limit = excluded.delivery_limit,
               deliveries = excluded.deliveries,
               claimed_by = excluded.claimed_by,
               claim_token = excluded.claim_token,
               crypt_hash = excluded.crypt_hash,
               refused_at = null,
               reopened_at = null,
               first_used_at = null,
               disabled_at = null,
               expires_at = null,
               old_salt = null,
               old_hash = null,
               old_until = null
    ), event as (
        insert into devcred.event
               (tenant, registration, device_id, operation, outcome, actor, source,
                status_before, status_after, request_id)
        select e.*
          from (select o.tenant, o.seq, o.id, 'newdevice_claim_other',
                       'ok'::devcred.outcome, o.actor, o.source, o.status, o.status, o.request
                  from other o
                union all
                select a.tenant, a.seq, a.id,
                       case when a.status = 'WAITING_FOR_CONNECTION' then 'newdevice_claim'
                            when a.other_token then 'newdevice_refuse'
                            else 'credential_issue' end,
                       case when a.other_token then 'token_mismatch' else 'ok' end::devcred.outcome,
                       a.actor, a.source, a.status,
                       case when a.status = 'WAITING_FOR_CONNECTION' then a.becomes
                            when a.other_token then a.status end,
                       a.request
                  from ask a
                 where a.first
                   and (a.status = 'WAITING_FOR_CONNECTION'
                       or a.n in (select i.n from issue i)
                       or (a.other_token and a.status in ('PENDING_ACCEPTANCE', 'ACCEPTED')
                           and (a.refused_at is null
                               or a.refused_at <= now() - interval '1 minute')))
                union all
                select a.tenant, a.seq, a.id, 'newdevice_claim_issued', 'ok', a.actor, a.source,
                       a.status, a.becomes, a.request
                  from ask a
                 where a.first
                   and a.status = 'WAITING_FOR_CONNECTION'
                   and a.issued_before) e
    )
    select a.n::int,
           case when a.status = 'ACCEPTED' and a.other_token then 'token_mismatch'
                when a.n in (select i.n from issue i) then 'ok'
                else 'wrong_state' end::devcred.outcome,
           case when a.status = 'WAITING_FOR_CONNECTION' then a.becomes
                else a.status end,
           a.tenant,
           a.custom_properties,
           a.expected_generation,
           null::text,
           null::bytea,
           false
      from ask a;

    if exists (select from devcred.accept_rule u where u.enabled) then
        perform devcred.rule_accept(array_agg(n.id order by n.id),
                array_agg(p_request[array_position(p_id, n.id)] order by n.id))
           from devcred.newdevice_request n
          where n.id = any (p_id)
            and n.status = 'PENDING_ACCEPTANCE'
            and n.claimed_at >= v_locked_at
         having count(*) > 0;
    end if;

    if v_rest is not null then
        return query
        select d.*
          from devcred.credential_deliver(v_rest, p_id, p_scope, p_actor, p_source, p_token,
               p_tenant, p_generation, p_salt, p_hash, p_seal_key, p_sealed,
               p_crypt_hash, p_window, p_limit, p_source_must_match, p_keys, p_request) d;
    end if;
end
$$;
comment on function devcred.credential_issue(text[], text[], text[], inet[], bytea[], bytea[], text[], text[], int[], bytea[], bytea[], text[], bytea[], text[], int, int, bool, text[], text[]) is
    'Polls that have to be recorded.  WAITING_FOR_CONNECTION becomes PENDING_ACCEPTANCE (BLOCKED where a required token is missing); an
ACCEPTED request becomes a credential with the salt and hash given for it, in this one transaction, for the first in the group who asks
with the right token, if it still is for p_tenant and p_generation as credential_look() said.  p_sealed, sealed with the key p_seal_key, is kept for
p_window seconds and p_limit deliveries in all; null for a password that is delivered once.  p_source_must_match: only the address that it was issued to is told again.
p_keys: ids of the keys that the caller has.
ok: issued, hand over the password; redelivered: issued before to the same claimant, sealed is that password, null if p_keys lacks seal_key; token_mismatch: another security token than the one
that claimed the id (audited at most once a minute); wrong_state: status says where it stands, and if that is ACCEPTED, it was issued for another of the group
or is for another generation by now: look again; absent: issued already, and not to be told; no row: nothing in reach.';
