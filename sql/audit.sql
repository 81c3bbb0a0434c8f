-- The parts of the audit trail.  Names and bounds of partitions are no
-- parameters: hence the statements that are put together here.

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
