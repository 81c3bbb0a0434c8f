-- Statistics tell what waited and was pending, too; sql/ makes them anew.
drop function if exists devcred.event_count(text, int);
