-- How many there are of what.

create or replace function devcred.request_totals()
returns table (status devcred.request_status, requests bigint)
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
    v_rows float8;
begin
    -- as the planner does it: rows of a page when it was last looked at, and pages of now
    select c.reltuples::float8 / nullif(c.relpages, 0)
           * pg_relation_size(c.oid) / current_setting('block_size')::float8
      into v_rows
      from pg_class c
     where c.oid = 'devcred.newdevice_request'::regclass
       and c.reltuples >= 0;
    if coalesce(v_rows, 0) <= 100000 then
        return query
        select s.status, count(r.seq)
          from unnest(enum_range(null::devcred.request_status)) s (status)
          left join devcred.newdevice_request r on r.status = s.status
         group by s.status
         order by s.status;
        return;
    end if;
    return query
    select s.status, round(coalesce(sum(f.share), 0) * v_rows)::bigint
      from unnest(enum_range(null::devcred.request_status)) s (status)
      left join (pg_stats p
                 cross join lateral unnest(p.most_common_vals::text::text[], p.most_common_freqs)
                       as f (status, share))
        on p.schemaname = 'devcred'
       and p.tablename = 'newdevice_request'
       and p.attname = 'status'
       and f.status = s.status::text
     group by s.status
     order by s.status;
end
$$;
comment on function devcred.request_totals() is
    'Requests of all tenants by status, for those who watch: counted up to 100,000, beyond that estimated from the planner''s statistics.';
