-- The audit trail as administrators of a tenant see it.

create or replace function devcred.event_list(
    p_scope text,
    p_id text,
    p_before bigint,
    p_limit int)
returns table (
    seq bigint,
    at text,
    tenant text,
    device_id text,
    operation text,
    outcome devcred.outcome,
    actor text,
    source text,
    status_before devcred.request_status,
    status_after devcred.request_status,
    request_id text)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    return query
    select e.seq, devcred.iso_time(e.at), e.tenant, e.device_id, e.operation, e.outcome, e.actor,
           host(e.source), e.status_before, e.status_after, e.request_id
      from devcred.event e
     where (p_scope = 'management' or e.tenant = p_scope)
       and (p_id is null or e.device_id = p_id)
       and (p_before is null or e.seq < p_before)
     order by e.seq desc
     limit p_limit;
end
$$;
comment on function devcred.event_list(text, text, bigint, int) is
    'Events in reach, the newest first: of one device if p_id is not null, and before the event p_before if that is not null.';

create or replace function devcred.event_count(p_scope text, p_days int)
returns table (
    day text,
    registered bigint,
    claimed bigint,
    accepted bigint,
    issued bigint,
    refused bigint,
    waiting bigint,
    pending bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set timezone = 'UTC'
as $$
declare
    v_first timestamptz := date_trunc('day', now()) - make_interval(days => p_days - 1);
begin
    return query
    with happened as (
        select date_trunc('day', e.at) as day,
               count(*) filter (where e.operation in ('newdevice_create', 'credential_create')) as registered,
               count(*) filter (where e.operation = 'newdevice_claim') as claimed,
               count(*) filter (where e.operation = 'newdevice_accept' and e.outcome = 'ok') as accepted,
               count(*) filter (where e.operation in ('credential_issue', 'credential_reissue')) as issued,
               count(*) filter (where e.operation in ('newdevice_block', 'newdevice_refuse', 'credential_refuse')
                   or e.outcome in ('token_mismatch', 'token_blocked', 'limit_reached')) as refused,
               count(*) filter (where e.status_after = 'WAITING_FOR_CONNECTION' and e.moved)
                   - count(*) filter (where e.status_before = 'WAITING_FOR_CONNECTION' and e.moved) as waiting,
               count(*) filter (where e.status_after = 'PENDING_ACCEPTANCE' and e.moved)
                   - count(*) filter (where e.status_before = 'PENDING_ACCEPTANCE' and e.moved) as pending
          from (select *,
                       -- which tells once more what newdevice_claim has told
                       operation <> 'newdevice_claim_issued' as moved
                  from devcred.event) e
         where (p_scope = 'management' or e.tenant = p_scope)
           and e.at >= v_first
         group by 1
    ), are as (
        select count(*) filter (where r.status = 'WAITING_FOR_CONNECTION') as waiting,
               count(*) filter (where r.status = 'PENDING_ACCEPTANCE') as pending
          from devcred.newdevice_request r
         where p_scope = 'management' or r.tenant = p_scope
    )
    select to_char(d.day, 'YYYY-MM-DD'),
           coalesce(h.registered, 0), coalesce(h.claimed, 0), coalesce(h.accepted, 0),
           coalesce(h.issued, 0), coalesce(h.refused, 0),
           -- what there is, less what has come since
           greatest(a.waiting - coalesce(sum(h.waiting) over later, 0), 0)::bigint,
           greatest(a.pending - coalesce(sum(h.pending) over later, 0), 0)::bigint
      from generate_series(v_first, now(), '1 day') d (day)
     cross join are a
      left join happened h
        on h.day = d.day
    window later as (order by d.day rows between 1 following and unbounded following)
     order by d.day;
end
$$;
comment on function devcred.event_count(text, int) is
    'What happened on each of the last p_days days (UTC), today included: devices registered, asking for the first time, accepted, issued credentials; and refusals.
And how many requests were waiting and pending at its end.';
