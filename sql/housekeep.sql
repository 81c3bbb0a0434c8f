-- What time brings: requests and passwords that have run out.

create or replace function devcred.request_expire(p_max int)
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_count int;
begin
    if not exists (select
                     from devcred.tenant t
                    where t.waiting_expiry is not null
                       or t.pending_expiry is not null) then
        return 0;
    end if;
    with due as (
        select r.id
          from devcred.newdevice_request r
          join devcred.tenant t
            on t.id = r.tenant
         where (r.status = 'WAITING_FOR_CONNECTION'
               and coalesce(r.lifted_at, r.created_at) <= now() - t.waiting_expiry)
            or (r.status = 'PENDING_ACCEPTANCE'
               and r.last_seen_at <= now() - t.pending_expiry - devcred.seen_lag(r.claimed_at))
         order by r.id
         limit p_max
           for update of r skip locked
    ), gone as (
        delete from devcred.newdevice_request r
         using due d
         where r.id = d.id
        returning r.*
    )
    insert into devcred.event
           (tenant, registration, device_id, operation, outcome, actor, status_before)
    select g.tenant, g.seq, g.id, 'newdevice_expire', 'ok', 'devcred', g.status
      from gone g;
    get diagnostics v_count = row_count;
    return v_count;
end
$$;
comment on function devcred.request_expire(int) is
    'Withdraw requests that have waited longer than their tenant lets them, p_max at most; how many.  One pass over the requests of all tenants, if any tenant
lets them end.';

create or replace function devcred.housekeep(p_max int default 10000)
returns table (windows int, passwords int, lines int, requests int)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '2s'
as $$
begin
    -- whoever is at it already does it for all
    with due as (
        select c.device_id, c.tenant
          from devcred.device_credential c
         where c.sealed is not null
           and c.delivery_until <= now()
         order by c.delivery_until
         limit p_max
           for update skip locked
    )
    update devcred.device_credential c
       set seal_key = null,
           sealed = null
      from due d
     where c.device_id = d.device_id
       and c.tenant = d.tenant;
    get diagnostics windows = row_count;

    with due as (
        select c.device_id, c.tenant
          from devcred.device_credential c
         where c.old_hash is not null
           and c.old_until <= now()
         order by c.old_until
         limit p_max
           for update skip locked
    )
    update devcred.device_credential c
       set old_salt = null,
           old_hash = null,
           old_until = null
      from due d
     where c.device_id = d.device_id
       and c.tenant = d.tenant;
    get diagnostics passwords = row_count;

    delete from devcred.bulk_row r
     where r.staged_at < now() - interval '1 hour';
    get diagnostics lines = row_count;

    requests := devcred.request_expire(p_max);

    delete from devcred.outbox o
     where o.at < now() - interval '30 days';

    delete from devcred.login_known k
     where k.at < now() - interval '90 days';

    perform devcred.event_partitions();
    return next;
end
$$;
comment on function devcred.housekeep(int) is
    'Wipe what has run out, also if nobody asks: sealed passwords whose delivery window is over, passwords before a rotation, lines that a bulk
registration left behind; p_max of each.  Withdraw requests that have waited too long, and make the months of the audit trail that come next.  Any instance may call it, at any time, and
twice.  How many of each were wiped.';

create or replace function devcred.seal_keys()
returns table (key text, windows bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select c.seal_key,
           count(*)
      from devcred.device_credential c
     where c.sealed is not null
       and c.delivery_until > now()
     group by c.seal_key
     order by c.seal_key;
end
$$;
comment on function devcred.seal_keys() is
    'Ids of the keys that open delivery windows need, and how many need each.';
