-- Telling whoever wants to be told: a queue that is the truth, and a wake-up.
-- NOTIFY makes commits wait for each other: it is for decisions that are rare,
-- and for tenants that have it on.

create or replace function devcred.event_put_out()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from devcred.tenant t where t.id = new.tenant and t.outbox) then
        insert into devcred.outbox (tenant, registration, device_id, operation, actor, status_after)
        values (new.tenant, new.registration, new.device_id, new.operation, new.actor, new.status_after);
        -- several of one transaction are one
        perform pg_notify('devcred_outbox', new.tenant);
    end if;
    return null;
end
$$;
comment on function devcred.event_put_out() is
    'Trigger: put a decision into outbox, for tenants that have it on.';

create or replace trigger event_put_out
    after insert on devcred.event
    for each row when (new.outcome in ('ok', 'token_blocked')
        and new.operation in ('newdevice_claim', 'newdevice_claim_other', 'newdevice_accept',
            'newdevice_block', 'newdevice_lift', 'newdevice_delete', 'newdevice_expire', 'credential_disable',
            'credential_enable', 'credential_revoke', 'credential_decommission'))
    execute function devcred.event_put_out();
comment on trigger event_put_out on devcred.event is
    'What happens seldom; polls and issues do not get here.';

create or replace function devcred.outbox_take(p_max int default 100, p_tenant text default null)
returns setof devcred.outbox
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_scope text := devcred.door_scope(null, p_tenant);
begin
    return query
    with due as (
        select o.seq
          from devcred.outbox o
         where (v_scope = 'management' or o.tenant = v_scope)
           and (p_tenant is null or o.tenant = p_tenant)
         order by o.seq
         limit p_max
           for update skip locked
    ), taken as (
        delete from devcred.outbox o
         using due d
         where o.seq = d.seq
        returning o.*
    )
    select t.*
      from taken t
     order by t.seq;
end
$$;
comment on function devcred.outbox_take(int, text) is
    'Take the oldest p_max entries out of the outbox.  They are gone with the commit of whoever takes them, and there again if that fails: each is told at
least once.  Several may take at once, and get different ones.';
