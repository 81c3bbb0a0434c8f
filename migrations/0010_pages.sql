-- Lists go on from where the last page ended, and tell a total that was counted
-- a moment ago; sql/ makes them anew.
drop function if exists devcred.newdevice_list(text, devcred.request_status, text, int, bigint, bool);
drop function if exists devcred.credential_list(text, text, text, int, bigint, bool);
