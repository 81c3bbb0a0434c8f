-- Delivering again what was issued, or not.

create or replace function devcred.credential_deliver(
    p_rest bigint[],
    p_id text[],
    p_scope text[],
    p_actor text[],
    p_source inet[],
    p_token bytea[],
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
language plpgsql
set search_path = pg_catalog, pg_temp
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
set jit = off
as $$
#variable_conflict use_column
begin
    return query
    with held as materialized (
        select a.*,
               row_number() over (partition by a.id order by a.n) = 1 as first,
               c.tenant,
               c.registration,
               c.custom_properties,
               c.generation,
               c.seal_key as held_key,
               c.sealed as held_sealed,
               c.refused_at,
               c.issued_to is distinct from a.source as other_source,
               m.same,
               row_number() over (partition by a.id, c.tenant, m.same order by a.n) as turn,
               -- a group must not get more than is left
               m.same and c.sealed is not null and c.delivery_until > now()
                   and c.deliveries + row_number() over (
                       partition by a.id, c.tenant, m.same order by a.n) <= c.delivery_limit
                   and c.reopened_at is null as due,
               coalesce(c.seal_key = any (p_keys), false) as can,
               m.same and c.reopened_at is not null
                   and c.delivery_until > now() as reopened
          from unnest(p_id, p_scope, p_actor, p_source, p_token, p_tenant, p_generation,
                      p_salt, p_hash, p_seal_key, p_sealed, p_crypt_hash, p_request)
               with ordinality a (id, scope, actor, source, token, expected_tenant,
                      expected_generation, salt, hash, seal_key, sealed, crypt_hash, request, n)
         cross join lateral (
               select d.*
                 from devcred.device_credential d
                where d.device_id = a.id
                  and (d.tenant = a.scope or a.scope = 'management')
                order by d.registration desc
                limit 1) c
         cross join lateral (
               -- is it the same who asks?
               select c.claimed_by is not distinct from a.actor
                   and c.claim_token is not distinct from a.token
                   and (not p_source_must_match
                       or c.issued_to is not distinct from a.source)
                   and c.disabled_at is null
                   and coalesce(c.expires_at > now(), true)) m (same)
         where a.n = any (p_rest)
    ), deliver as (
        update devcred.device_credential c
           set deliveries = c.deliveries + h.times,
               sealed = case when c.deliveries + h.times < c.delivery_limit then c.sealed end,
               seal_key = case when c.deliveries + h.times < c.delivery_limit then c.seal_key end
          from (select h.id, h.tenant, count(*)::int as times
                  from held h
                 where h.due
                   and h.can
                 group by h.id, h.tenant) h
         where c.device_id = h.id
           and c.tenant = h.tenant
    ), reissue as (
        -- what the device may have works on until this one is used: of several
        -- that it never used, the one before them
        update devcred.device_credential c
           set old_salt = case when c.first_used_at is null and c.old_until > now()
                   then c.old_salt else c.password_salt end,
               old_hash = case when c.first_used_at is null and c.old_until > now()
                   then c.old_hash else c.password_hash end,
               old_until = clock_timestamp() + make_interval(secs => greatest(p_window, 60)),
               password_salt = h.salt,
               password_hash = h.hash,
               crypt_hash = h.crypt_hash,
               generation = c.generation + 1,
               issued_at = clock_timestamp(),
               issued_to = h.source,
               seal_key = h.seal_key,
               sealed = h.sealed,
               delivery_until = clock_timestamp() + make_interval(secs => p_window),
               delivery_limit = p_limit,
               deliveries = 1,
               first_used_at = null,
               reopened_at = null
          from held h
         where c.device_id = h.id
           and c.tenant = h.tenant
           and c.generation + 1 = h.expected_generation
           and c.tenant = h.expected_tenant
           and h.reopened
           and h.turn = 1
        returning h.n
    ), refuse as (
        update devcred.device_credential c
           set refused_at = clock_timestamp()
          from held h
         where c.device_id = h.id
           and c.tenant = h.tenant
           and h.first
           and not h.due
           and not h.reopened
           and (h.refused_at is null or h.refused_at <= now() - interval '1 minute')
           and not exists (select
                             from held g
                            where g.id = h.id
                              and (g.due or g.reopened))
        returning h.n
    ), event as (
        insert into devcred.event
               (tenant, registration, device_id, operation, outcome, actor, source,
                request_id)
        select h.tenant, h.registration, h.id,
               case when h.n in (select i.n from reissue i) then 'credential_reissue'
                    when h.due then 'credential_deliver'
                    else 'credential_refuse' end,
               case when h.due or h.n in (select i.n from reissue i) then 'ok'
                    when h.same then 'wrong_state'
                    else 'token_mismatch' end::devcred.outcome,
               h.actor, h.source, h.request
          from held h
         where (h.due and h.can)
            or h.n in (select i.n from reissue i)
            or h.n in (select f.n from refuse f)
         order by h.n
    )
    select h.n::int,
           case when h.due then 'redelivered'
                when h.n in (select i.n from reissue i) then 'ok'
                else 'absent' end::devcred.outcome,
           null::devcred.request_status,
           h.tenant,
           h.custom_properties,
           h.generation,
           case when h.due then h.held_key end,
           case when h.due and h.can then h.held_sealed end,
           h.other_source
      from held h;
end
$$;
comment on function devcred.credential_deliver(bigint[], text[], text[], text[], inet[], bytea[], text[], int[], bytea[], bytea[], text[], bytea[], text[], int, int, bool, text[], text[]) is
    'The part of credential_issue() for devices that have no request, places p_rest of the arrays: what was issued before is delivered again to the same
claimant (redelivered; without sealed, and not counted, if the caller lacks the key), issued anew if an administrator reopened the delivery (ok), or refused (absent), which is audited at most once a minute.';
