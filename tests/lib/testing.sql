-- What the service does around the functions for polls, in one call each: for
-- tests that speak SQL.  Not part of devcred.
create schema testing;
grant usage on schema testing to public;

create function testing.claimant(p_actor text, p_source inet, p_token bytea)
returns bytea
language sql
as $$
    select substr(sha256(convert_to(p_actor || coalesce(host(p_source), ''), 'UTF8')
        || coalesce(p_token, '')), 1, 16)
$$;

-- A look, as testing.poll() has it.
create function testing.look(
    p_id text[],
    p_scope text[],
    p_token bytea[],
    p_actor text default 't1/bootstrap',
    p_source inet default '192.0.2.7')
returns table (n int, status devcred.request_status, settled bool, tenant text, generation int)
language sql
as $$
    select *
      from devcred.credential_look(p_id, p_scope, p_token,
           (select array_agg(testing.claimant(p_actor, p_source, t.token) order by t.n)
              from unnest(p_token) with ordinality t (token, n)),
           array_fill(p_source, array[cardinality(p_id)]))
$$;

create type testing.answer as (
    n int,
    outcome devcred.outcome,
    status devcred.request_status,
    tenant text,
    custom_properties jsonb);

-- A poll that is not settled: without a delivery window.  Like the service it
-- looks again if something has been accepted meanwhile.
create function testing.poll(
    p_id text[],
    p_scope text[],
    p_actor text[],
    p_source inet[],
    p_token bytea[],
    p_salt bytea[],
    p_hash bytea[])
returns setof testing.answer
language plpgsql
as $$
declare
    v_claimant bytea[];
    v_tenant text[];
    v_generation int[];
    v_answer testing.answer[] := '{}';
begin
    select array_agg(testing.claimant(a.actor, a.source, a.token) order by a.n)
      into v_claimant
      from unnest(p_actor, p_source, p_token) with ordinality a (actor, source, token, n);
    for round in 1..2 loop
        select array_agg(l.tenant order by a.n),
               array_agg(coalesce(l.generation, 0) order by a.n)
          into v_tenant, v_generation
          from unnest(p_id) with ordinality a (id, n)
          left join devcred.credential_look(p_id, p_scope, p_token, v_claimant, p_source) l
            on l.n = a.n;
        -- who has an answer does not look again
        v_answer := array(select a::testing.answer
                            from unnest(v_answer) a
                           where (a.outcome, a.status) is distinct from ('wrong_state', 'ACCEPTED'));
        select v_answer || coalesce(array_agg(row(i.n, i.outcome, i.status, i.tenant,
                   i.custom_properties)::testing.answer order by i.n), '{}')
          into v_answer
          from devcred.credential_issue(p_id, p_scope, p_actor, p_source, p_token, v_claimant,
               array_fill(null::text, array[cardinality(p_id)]), v_tenant, v_generation,
               p_salt, p_hash, array_fill(null::text, array[cardinality(p_id)]),
               array_fill(null::bytea, array[cardinality(p_id)]),
               array_fill(null::text, array[cardinality(p_id)]), 0, 10, false, '{}') i
         where i.n not in (select a.n from unnest(v_answer) a);
        exit when not exists (select
                                from unnest(v_answer) a
                               where a.outcome = 'wrong_state'
                                 and a.status = 'ACCEPTED');
    end loop;
    return query
    select a.*
      from unnest(v_answer) a;
end
$$;
