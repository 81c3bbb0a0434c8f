-- The audit trail: its parts, and what is sealed of it.  Names and bounds of
-- partitions are no parameters: hence the statements that are put together here.

create or replace function devcred.event_part_guard(p_part regclass)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    -- triggers for rows are copied from the whole, those for statements not
    if not exists (select
              from pg_trigger t
             where t.tgrelid = p_part
               and t.tgname = 'event_append_only_truncate') then
        execute format('create trigger event_append_only_truncate before truncate on %s
            for each statement execute function devcred.event_is_append_only()', p_part);
        execute format('comment on trigger event_append_only_truncate on %s is %L', p_part,
            'Second line behind the missing privileges.');
    end if;
    -- policies are those of the whole; who asks a part itself, sees nothing
    if not (select c.relrowsecurity from pg_class c where c.oid = p_part) then
        execute format('alter table %s enable row level security', p_part);
    end if;
end
$$;
comment on function devcred.event_part_guard(regclass) is
    'Make a part of devcred.event append-only by itself, and readable only as part of the whole.';

create or replace function devcred.event_partitions()
returns int
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '100ms'
as $$
declare
    v_first timestamp := date_trunc('month', now() at time zone 'UTC');
    v_names name[];
    v_made int := 0;
    r record;
begin
    select array_agg(to_char(v_first + make_interval(months => i), '"event_"YYYY_MM'))
      into v_names
      from generate_series(0, 3) i;
    if (select count(*)
          from pg_class c
         where c.relnamespace = 'devcred'::regnamespace
           and c.relname = any (v_names)) = cardinality(v_names) then
        return 0;
    end if;
    -- whoever is at it already does it for all
    if not pg_try_advisory_xact_lock(28259056820053349) then
        return 0;
    end if;
    for r in select v_names[i + 1] as name,
                    v_first + make_interval(months => i) as month,
                    to_char(v_first + make_interval(months => i), 'YYYY-MM-DD"T00:00:00Z"') as lower,
                    to_char(v_first + make_interval(months => i + 1), 'YYYY-MM-DD"T00:00:00Z"') as upper
               from generate_series(0, 3) i
              order by i loop
        continue when to_regclass('devcred.' || r.name) is not null;
        -- what the rest has of a month stays there, and so does the month
        continue when exists (select
                  from devcred.event_rest e
                 where e.at >= r.lower::timestamptz
                   and e.at < r.upper::timestamptz);
        begin
            -- to attach takes a lock beside which others go on writing; to
            -- make the table as part of the whole would not
            execute format('create table devcred.%I (like devcred.event including defaults including constraints)',
                r.name);
            -- whoever called this
            execute format('alter table devcred.%I owner to devcred_owner', r.name);
            execute format('comment on table devcred.%I is %L', r.name,
                'Events of ' || to_char(r.month, 'YYYY-MM') || ' (UTC).');
            perform devcred.event_part_guard(('devcred.' || r.name)::regclass);
            execute format('alter table devcred.event attach partition devcred.%I for values from (%L) to (%L)',
                r.name, r.lower, r.upper);
            v_made := v_made + 1;
        exception
            -- in a minute, again
            when lock_not_available or deadlock_detected or duplicate_table or check_violation then
                return v_made;
        end;
    end loop;
    return v_made;
end
$$;
comment on function devcred.event_partitions() is
    'Make the parts of devcred.event for this month (UTC) and the next three, unless they are there.  Any instance may call it, at any time, and twice:
devcred.housekeep() does.  It does not wait for others; what it could not make now it makes the next time, and events without a month of their
own go to devcred.event_rest.  How many were made.';

do $$
begin
    perform devcred.event_part_guard(i.inhrelid)
       from pg_catalog.pg_inherits i
      where i.inhparent = 'devcred.event'::regclass;
    perform devcred.event_partitions();
end
$$;

-- Seals ------------------------------------------------------------------------

-- A digest must be the same for ever and wherever it is made, so it names its
-- columns, and goes by bytes: no setting of a session, no number of a type that
-- another database may number otherwise.
create or replace function devcred.event_digest(p_format int, p_event devcred.event)
returns bytea
language sql stable
return case p_format when 1 then pg_catalog.sha256(pg_catalog.record_send(row(
    (p_event).seq,
    (p_event).at,
    pg_catalog.convert_to((p_event).tenant, 'UTF8'),
    (p_event).registration,
    pg_catalog.convert_to((p_event).device_id, 'UTF8'),
    pg_catalog.convert_to((p_event).operation, 'UTF8'),
    pg_catalog.convert_to((p_event).outcome::text, 'UTF8'),
    pg_catalog.convert_to((p_event).actor, 'UTF8'),
    (p_event).source,
    pg_catalog.convert_to((p_event).db_user::text, 'UTF8'),
    pg_catalog.convert_to((p_event).status_before::text, 'UTF8'),
    pg_catalog.convert_to((p_event).status_after::text, 'UTF8'),
    pg_catalog.convert_to((p_event).request_id, 'UTF8')))) end;
comment on function devcred.event_digest(int, devcred.event) is
    'Digest of an event, by which seals know it; null if there is no such format.  Format 1: SHA-256 of PostgreSQL''s binary form of the row (seq, at,
tenant, registration, device_id, operation, outcome, actor, source, db_user, status_before, status_after, request_id), text and enums as bytea in UTF-8.
A format never changes: columns that are added later are told by a new one.';

create or replace function devcred.audit_digests(p_format int, p_after bigint, p_until bigint, p_max int)
returns table (events int, last bigint, digests text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select count(*)::int,
           max(x.seq),
           encode(string_agg(int8send(x.seq) || substr(x.digest, 1, 16), '' order by x.seq, x.at), 'hex')
      from (select e.seq, e.at, devcred.event_digest(p_format, e) as digest
              from devcred.event e
             where (e.seq > p_after or p_after = 0)
               and e.seq <= p_until
             order by e.seq, e.at
             limit p_max) x
$$;
comment on function devcred.audit_digests(int, bigint, bigint, int) is
    'Of events with p_after < seq <= p_until, at most p_max of them (null: all): how many, the last, and in hex what a seal has of each.  From 0 on
means from the beginning.';

create or replace function devcred.audit_writers(p_of text[] default null)
returns table (transaction text, pid int, since timestamptz)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select distinct l.virtualtransaction, l.pid, a.xact_start
      from pg_locks l
      left join pg_stat_activity a
        on a.pid = l.pid
     where l.locktype = 'relation'
       and l.database = (select d.oid from pg_database d where d.datname = current_database())
       and l.relation = 'devcred.event'::regclass
       and l.granted
       and l.mode not in ('AccessShareLock', 'RowShareLock')
       and l.pid is distinct from pg_backend_pid()
       -- to be prepared may give a transaction another name
       and (p_of is null or l.virtualtransaction = any (p_of) or l.pid is null)
     order by 1
$$;
comment on function devcred.audit_writers(text[]) is
    'Transactions that may have events which others do not see yet; p_of: of these, and of those that are prepared.  One without pid is prepared, see pg_prepared_xacts.';

-- Exports ----------------------------------------------------------------------

create or replace function devcred.audit_months(p_before text)
returns table (month text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select m.month
      from pg_inherits i
      join pg_class c
        on c.oid = i.inhrelid
     cross join replace(substr(c.relname, 7), '_', '-') m (month)
     where i.inhparent = 'devcred.event'::regclass
       and c.relname ~ '^event_[0-9]{4}_[0-9]{2}$'
       and m.month < p_before
       and m.month < to_char(now() at time zone 'UTC', 'YYYY-MM')
       and not exists (select
              from devcred.audit_export x
             where x.month = m.month
               and x.dropped_at is not null)
     order by 1
$$;
comment on function devcred.audit_months(text) is
    'Parts of devcred.event of months before p_before (YYYY-MM) that are over and were not exported and dropped.';

create or replace function devcred.audit_hold(p_month text)
returns bool
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '5s'
as $$
begin
    if not pg_try_advisory_xact_lock(28259056820053350) then
        return false;
    end if;
    execute format('lock table devcred.%I in share mode', 'event_' || replace(p_month, '-', '_'));
    return true;
end
$$;
comment on function devcred.audit_hold(text) is
    'Have nobody add to a month until the transaction ends; false if another export is at work.';

create or replace function devcred.audit_lines(p_month text, p_after bigint, p_max int)
returns table (events int, first bigint, last bigint, lines text)
language sql stable
set search_path = pg_catalog, pg_temp
set timezone = 'UTC'
as $$
    select count(*)::int,
           min(x.seq),
           max(x.seq),
           string_agg(x.line || E'\n', '' order by x.seq)
      from (select e.seq, row_to_json(e)::text as line
              from devcred.event e
             where e.at >= (p_month || '-01T00:00:00Z')::timestamptz
               and e.at < (p_month || '-01T00:00:00Z')::timestamptz + interval '1 month'
               and (e.seq > p_after or p_after is null)
             order by e.seq
             limit p_max) x
$$;
comment on function devcred.audit_lines(text, bigint, int) is
    'Events of a month after p_after (null: from the first), at most p_max: how many, the first and the last, and all columns of each as a line of JSON.';

create or replace function devcred.audit_forget(p_month text)
returns text
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '500ms'
as $$
declare
    v_part text := format('devcred.%I', 'event_' || replace(p_month, '-', '_'));
    v_last bigint;
    v_count bigint;
    x devcred.audit_export;
begin
    select a.* into x from devcred.audit_export a where a.month = p_month and a.dropped_at is null for update;
    execute format('select count(*), max(seq) from %s', v_part) into v_count, v_last;
    if x.month is null or v_count <> x.event_count or v_last is distinct from x.last_seq then
        return 'changed';
    end if;
    if v_last > (select max(s.until_seq) from devcred.audit_seal s) then
        return 'unsealed';
    end if;
    -- whoever writes waits behind this, but not for long
    execute format('alter table devcred.event detach partition %s', v_part);
    execute format('drop table %s', v_part);
    update devcred.audit_export a
       set dropped_at = clock_timestamp()
     where a.month = p_month;
    return 'ok';
end
$$;
comment on function devcred.audit_forget(text) is
    'Drop a month that is exported.  ok; changed: it is not what was exported; unsealed: there are seals, but not over all of it.';

create or replace function devcred.audit_line_digests(p_format int, p_lines text)
returns table (digests text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
    select encode(string_agg(int8send(e.seq) || substr(devcred.event_digest(p_format, e), 1, 16), '' order by e.seq), 'hex')
      from string_to_table(p_lines, E'\n') l (line)
     cross join json_populate_record(null::devcred.event, l.line::json) e
     where l.line <> ''
$$;
comment on function devcred.audit_line_digests(int, text) is
    'In hex, what a seal has of each event in lines of an exported file.';
