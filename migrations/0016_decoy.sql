-- The decoy is made as a credential is: PostgreSQL reads and checks eleven
-- constraints for every change of one, and a login of a device that does not
-- exist took 40 microseconds less without them, which tells.
drop table devcred.decoy;
create table devcred.decoy (
    slot int not null,
    like devcred.device_credential including comments including constraints
        including defaults including generated,
    constraint decoy_pkey
        primary key (slot)
) with (fillfactor = 50);
insert into devcred.decoy
       (slot, tenant, device_id, password_salt, password_hash, registration, accepted_at,
        accepted_by)
select n, 'management', 'decoy_' || n, decode(repeat('00', 16), 'hex'),
       decode(repeat('00', 32), 'hex'), -1 - n, now(), 'devcred'
  from generate_series(0, 63) n;
comment on table devcred.decoy is
    'Failed logins of devices that do not exist, so that they cost what others cost: a table like device_credential, whatever becomes of that.';
comment on column devcred.decoy.slot is
    'One of several, so that nobody waits.';
comment on column devcred.decoy.failures is
    'How many logins failed.';
