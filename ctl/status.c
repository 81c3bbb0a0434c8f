#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "schema.h"
#include "table.h"

static enum ctl_exit
print_status(const struct schema *s)
{
	static const char *const titles[] = { "VERSION", "NAME", "STATE",
		"APPLIED AT", "APPLIED BY", NULL };
	char version[16];
	struct table t;
	enum ctl_exit rc;
	int i;

	table_init(&t, titles);
	for (i = 0; i < s->n; i++) {
		snprintf(version, sizeof(version), "%d", s->list[i].version);
		table_add(&t, version);
		table_add(&t, s->list[i].name);
		table_add(&t, migration_state_name(s->list[i].state));
		table_add(&t, s->list[i].applied_at);
		table_add(&t, s->list[i].applied_by);
	}
	rc = table_print(&t, stdout) == 0 &&
	    s->count[MIGRATION_APPLIED] == s->n ? CTL_DONE : CTL_FAILED;
	table_free(&t);
	return rc;
}

enum ctl_exit
migrate_status(struct ctl *ctl)
{
	struct db_rows facts = { NULL, 0 };
	struct schema schema;
	enum ctl_exit rc;

	memset(&schema, 0, sizeof(schema));
	if ((rc = session_look(ctl, &facts)) == CTL_DONE &&
	    (rc = session_history(ctl, &facts, &schema)) == CTL_DONE)
		rc = print_status(&schema);
	schema_free(&schema);
	db_rows_free(&facts);
	return rc;
}
