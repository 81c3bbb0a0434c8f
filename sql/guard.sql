-- Plain statements on the tables themselves, by whoever may: superusers and
-- members of devcred_owner.  The tables' constraints and the state machine hold
-- for them too; these triggers record what they did.  Functions act as
-- devcred_owner, record themselves, and do not get here.

create or replace function devcred.newdevice_request_copied()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set work_mem = '32MB'
as $$
begin
    -- in the order of ids: neighbours in the index of devices, which is large
    insert into devcred.event
           (tenant, registration, device_id, operation, outcome, actor, status_after)
    select n.tenant, n.seq, n.id, 'newdevice_create', 'ok', devcred.door_actor(), n.status
      from added n
     order by n.id;
    return null;
end
$$;
comment on function devcred.newdevice_request_copied() is
    'Trigger: record requests that a plain statement created, copy included.';

create or replace function devcred.newdevice_request_changed()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into devcred.event
           (tenant, registration, device_id, operation, outcome, actor, status_before, status_after)
    values (old.tenant, old.seq, old.id,
           case when tg_op = 'DELETE' then 'newdevice_delete'
                when new.status = 'ACCEPTED' then 'newdevice_accept'
                when new.status = 'BLOCKED' then 'newdevice_block'
                when old.status = 'BLOCKED' then 'newdevice_lift'
                else 'newdevice_claim' end,
           'ok', devcred.door_actor(), old.status,
           case when tg_op = 'UPDATE' then new.status end);
    return null;
end
$$;
comment on function devcred.newdevice_request_changed() is
    'Trigger: record what a plain statement did to a request.';

create or replace function devcred.device_credential_changed()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    c devcred.device_credential := case when tg_op = 'DELETE' then old else new end;
begin
    insert into devcred.event
           (tenant, registration, device_id, operation, outcome, actor)
    select c.tenant, c.registration, c.device_id, o.operation, 'ok', devcred.door_actor()
      from unnest(case
               when tg_op = 'INSERT' then array['credential_create']
               when tg_op = 'DELETE' then array['credential_revoke']
               else array[
                   case when new.password_hash <> old.password_hash then 'credential_rotate' end,
                   case when old.disabled_at is null and new.disabled_at is not null then 'credential_disable' end,
                   case when old.disabled_at is not null and new.disabled_at is null then 'credential_enable' end,
                   case when new.expires_at is distinct from old.expires_at then 'credential_expire' end]
               end) o (operation)
     where o.operation is not null;
    return null;
end
$$;
comment on function devcred.device_credential_changed() is
    'Trigger: record what a plain statement did to a credential.';

create or replace trigger newdevice_request_copied
    after insert on devcred.newdevice_request
    referencing new table as added
    for each statement when (current_user <> 'devcred_owner')
    execute function devcred.newdevice_request_copied();
comment on trigger newdevice_request_copied on devcred.newdevice_request is
    'All at once, so that copy stays fast.';
create or replace trigger newdevice_request_moved
    after update of status on devcred.newdevice_request
    for each row when (current_user <> 'devcred_owner' and new.status <> old.status)
    execute function devcred.newdevice_request_changed();
comment on trigger newdevice_request_moved on devcred.newdevice_request is
    'Nobody moves a request unseen.';
create or replace trigger newdevice_request_deleted
    after delete on devcred.newdevice_request
    for each row when (current_user <> 'devcred_owner')
    execute function devcred.newdevice_request_changed();
comment on trigger newdevice_request_deleted on devcred.newdevice_request is
    'Nobody deletes a request unseen.';
create or replace trigger device_credential_changed
    after insert or update or delete on devcred.device_credential
    for each row when (current_user <> 'devcred_owner')
    execute function devcred.device_credential_changed();
comment on trigger device_credential_changed on devcred.device_credential is
    'Nobody gives, changes or takes a credential unseen.';
