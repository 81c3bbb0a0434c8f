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
    refused bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
set timezone = 'UTC'
as $$
declare
    v_first timestamptz := date_trunc('day', now()) - make_interval(days => p_days - 1);
begin
    return query
    select to_char(d.day, 'YYYY-MM-DD'),
           coalesce(c.registered, 0), coalesce(c.claimed, 0), coalesce(c.accepted, 0),
           coalesce(c.issued, 0), coalesce(c.refused, 0)
      from generate_series(v_first, now(), '1 day') d (day)
      left join (
           select date_trunc('day', e.at) as day,
                  count(*) filter (where e.operation in ('newdevice_create', 'credential_create')) as registered,
                  count(*) filter (where e.operation = 'newdevice_claim') as claimed,
                  count(*) filter (where e.operation = 'newdevice_accept' and e.outcome = 'ok') as accepted,
                  count(*) filter (where e.operation in ('credential_issue', 'credential_reissue')) as issued,
                  count(*) filter (where e.operation in ('newdevice_block', 'newdevice_refuse', 'credential_refuse')
                      or e.outcome in ('token_mismatch', 'token_blocked', 'limit_reached')) as refused
             from devcred.event e
            where (p_scope = 'management' or e.tenant = p_scope)
              and e.at >= v_first
            group by 1) c
        on c.day = d.day
     order by d.day;
end
$$;
comment on function devcred.event_count(text, int) is
    'What happened on each of the last p_days days (UTC), today included: devices registered, asking for the first time, accepted, issued credentials; and refusals.';
