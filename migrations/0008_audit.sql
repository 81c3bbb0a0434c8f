-- The audit trail in parts, one for each month (UTC), so that what is old can
-- be exported and dropped without touching what is new.
--
-- The rows are copied, not attached: the months that are there become parts of
-- their own, too, and can go as such.  Nobody writes meanwhile; the migration
-- holds the table.

alter table devcred.event rename to event_whole;
alter sequence devcred.event_seq_seq rename to event_whole_seq;
alter table devcred.event_whole drop constraint event_pkey;
drop index devcred.event_device;
drop index devcred.event_tenant;
drop trigger event_append_only on devcred.event_whole;
drop trigger event_append_only_truncate on devcred.event_whole;

-- all columns, checks and comments; the identity begins where the old one ended
create table devcred.event (
    like devcred.event_whole including defaults including constraints including comments
) partition by range (at);
comment on table devcred.event is
    'Append-only record of every decision.  Nothing here is a secret, nothing here changes.  A part for each month (UTC), which
devcred.event_partitions() makes ahead of time.';
alter table devcred.event
    alter column seq add generated always as identity;

-- No insert is refused because nobody made its month.
create table devcred.event_rest
    partition of devcred.event default;
comment on table devcred.event_rest is
    'Events of months that have no part of their own; empty if housekeeping ran.';

-- The months that are there.  Names and bounds are no parameters.
do $$
declare
    r record;
begin
    for r in select to_char(m.month, '"event_"YYYY_MM') as name,
                    to_char(m.month, 'YYYY-MM') as month,
                    to_char(m.month, 'YYYY-MM-DD"T00:00:00Z"') as lower,
                    to_char(m.month + interval '1 month', 'YYYY-MM-DD"T00:00:00Z"') as upper
               from (select distinct date_trunc('month', e.at at time zone 'UTC') as month
                       from devcred.event_whole e
                      where e.at >= '2000-01-01T00:00:00Z'
                        and e.at < '3000-01-01T00:00:00Z') m loop
        execute format('create table devcred.%I partition of devcred.event for values from (%L) to (%L)',
            r.name, r.lower, r.upper);
        execute format('comment on table devcred.%I is %L',
            r.name, 'Events of ' || r.month || ' (UTC).');
    end loop;
end
$$;

insert into devcred.event overriding system value
select w.*
  from devcred.event_whole w;
do $$
begin
    perform setval('devcred.event_seq_seq', s.last_value, s.is_called)
       from devcred.event_whole_seq s;
end
$$;

-- seq alone is unique as before, as only the identity writes it; a key of a
-- table in parts has to contain what it is parted by
alter table devcred.event
    add constraint event_pkey
        primary key (seq, at);
create index event_device
    on devcred.event (device_id, seq);
comment on index devcred.event_device is
    'The story of one device.';
create index event_tenant
    on devcred.event (tenant, seq);
comment on index devcred.event_tenant is
    'A tenant''s events, newest first.';

-- Views go by what a table is, not by its name: let those of ours that are
-- there look at the new one.  sql/ makes them anew, others may depend on them.
do $$
declare
    r record;
begin
    for r in select c.oid::regclass as name, array_to_string(c.reloptions, ', ') as options,
                    replace(pg_get_viewdef(c.oid), 'devcred.event_whole', 'devcred.event') as body
               from pg_class c
              where c.relkind = 'v'
                and c.relowner = 'devcred_owner'::regrole
                and exists (select
                       from pg_rewrite w
                       join pg_depend d
                         on d.objid = w.oid
                        and d.classid = 'pg_rewrite'::regclass
                        and d.refclassid = 'pg_class'::regclass
                        and d.refobjid = 'devcred.event_whole'::regclass
                      where w.ev_class = c.oid) loop
        execute format('create or replace view %s%s as %s', r.name,
            coalesce(' with (' || r.options || ')', ''), r.body);
    end loop;
    if exists (select from pg_publication_rel p where p.prrelid = 'devcred.event_whole'::regclass) then
        raise warning 'devcred.event is made anew and is published no more: run deploy/postgresql/publication.sql before the service records more'
            using errcode = '01D01';    -- 01000 would say that the commit is in doubt
    end if;
end
$$;
drop table devcred.event_whole;

create trigger event_append_only
    before update or delete on devcred.event
    for each row execute function devcred.event_is_append_only();
comment on trigger event_append_only on devcred.event is
    'Second line behind the missing privileges; its parts have it, too.';
create trigger event_append_only_truncate
    before truncate on devcred.event
    for each statement execute function devcred.event_is_append_only();
comment on trigger event_append_only_truncate on devcred.event is
    'Second line behind the missing privileges; each part has one of its own, see sql/audit.sql.';

create or replace function devcred.event_is_append_only()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'devcred.% is append-only', tg_table_name
        using errcode = 'insufficient_privilege';
end
$$;
comment on function devcred.event_is_append_only() is
    'Trigger: no event, and no seal on them, is ever changed or removed.';

-- Seals: signed checkpoints, by "devcredctl audit seal" -------------------------

create table devcred.audit_seal (
    number bigint not null,
    format int not null,
    after_seq bigint not null,
    until_seq bigint not null,
    event_count int not null,
    digests bytea not null,
    previous bytea not null,
    sealed_at timestamptz not null,
    key_id text collate "C" not null,
    signature bytea not null,
    constraint audit_seal_pkey
        primary key (number),
    constraint audit_seal_number_is_a_count
        check (number > 0),
    constraint audit_seal_goes_forward
        check (after_seq >= 0 and until_seq > after_seq),
    constraint audit_seal_has_a_digest_of_each_event
        check (event_count > 0 and octet_length(digests) = event_count * 24),
    constraint audit_seal_previous_is_a_digest
        check (octet_length(previous) = 32),
    constraint audit_seal_key_id_is_one
        check (key_id ~ '^[0-9a-f]{16}$'),
    constraint audit_seal_signature_is_one
        check (octet_length(signature) = 64)
);
comment on table devcred.audit_seal is
    'Signed checkpoints over events, one after the other: what is changed, removed or inserted behind them is found by devcredctl audit verify.';
comment on column devcred.audit_seal.number is
    'Counted from 1, without gaps.';
comment on column devcred.audit_seal.format is
    'How the digest of an event is made, see devcred.event_digest(), and the text that is signed.';
comment on column devcred.audit_seal.after_seq is
    'The seal is over events whose seq is greater; the until_seq of the seal before, 0 for the first.';
comment on column devcred.audit_seal.until_seq is
    'And not greater than this.';
comment on column devcred.audit_seal.event_count is
    'How many events those were.';
comment on column devcred.audit_seal.digests is
    'For each of them, in the order of seq, 24 bytes: its seq (8, big-endian) and the first 16 of its digest.';
comment on column devcred.audit_seal.previous is
    'SHA-256 of the text of the seal before, with its signature; zero for the first.';
comment on column devcred.audit_seal.sealed_at is
    'When, by the database''s clock.';
comment on column devcred.audit_seal.key_id is
    'Which key signed it: the first 8 bytes of the SHA-256 of its public half.';
comment on column devcred.audit_seal.signature is
    'Ed25519 signature of the text of all that.  The private key is not in the database.';
-- digests do not get smaller
alter table devcred.audit_seal alter column digests set storage external;

create trigger audit_seal_append_only
    before update or delete on devcred.audit_seal
    for each row execute function devcred.event_is_append_only();
comment on trigger audit_seal_append_only on devcred.audit_seal is
    'Second line behind the missing privileges.';
create trigger audit_seal_append_only_truncate
    before truncate on devcred.audit_seal
    for each statement execute function devcred.event_is_append_only();
comment on trigger audit_seal_append_only_truncate on devcred.audit_seal is
    'Second line behind the missing privileges.';

-- Months that were written to files, by "devcredctl audit export" ---------------

create table devcred.audit_export (
    month text collate "C" not null,
    file text collate "C" not null,
    event_count bigint not null,
    first_seq bigint,
    last_seq bigint,
    sha256 bytea not null,
    exported_at timestamptz not null default clock_timestamp(),
    exported_by name not null default session_user,
    dropped_at timestamptz,
    constraint audit_export_pkey
        primary key (month),
    constraint audit_export_month_is_one
        check (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    constraint audit_export_file_is_a_plain_name
        check (file !~ '/' and file <> ''),
    constraint audit_export_counts_what_it_has
        check (event_count >= 0
            and (event_count = 0) = (first_seq is null)
            and (event_count = 0) = (last_seq is null)),
    constraint audit_export_sha256_is_a_digest
        check (octet_length(sha256) = 32)
);
comment on table devcred.audit_export is
    'Months of the audit trail that were written to files, and which of them are only there.';
comment on column devcred.audit_export.month is
    'Month (UTC), YYYY-MM.';
comment on column devcred.audit_export.file is
    'Name of the file, without its folder: one event a line, as JSON, in the order of seq.';
comment on column devcred.audit_export.event_count is
    'How many events it has.';
comment on column devcred.audit_export.first_seq is
    'The first of them; null if there is none.';
comment on column devcred.audit_export.last_seq is
    'The last of them; null if there is none.';
comment on column devcred.audit_export.sha256 is
    'SHA-256 of the file.';
comment on column devcred.audit_export.exported_at is
    'When it was written last.';
comment on column devcred.audit_export.exported_by is
    'Database role of the session that did it.';
comment on column devcred.audit_export.dropped_at is
    'When its events were dropped here; null: they are still here.';
