#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "result.h"
#include "schema.h"

static enum ctl_exit
print_status(const struct ctl *ctl, const struct schema *s)
{
	static const struct result_column columns[] = {
		{ "version", "VERSION", RESULT_NUM },
		{ "name", "NAME", RESULT_TEXT },
		{ "state", "STATE", RESULT_TEXT },
		{ "applied_at", "APPLIED AT", RESULT_TEXT },
		{ "applied_by", "APPLIED BY", RESULT_TEXT },
		RESULT_END
	};
	struct result r;
	enum ctl_exit rc;
	int i;

	result_init(&r, ctl, columns);
	for (i = 0; i < s->n; i++) {
		result_add_num(&r, s->list[i].version);
		result_add(&r, s->list[i].name);
		result_add(&r, migration_state_name(s->list[i].state));
		result_add(&r, s->list[i].applied_at);
		result_add(&r, s->list[i].applied_by);
	}
	rc = result_list(&r);
	return rc == CTL_DONE && s->count[MIGRATION_APPLIED] != s->n ?
	    CTL_FAILED : rc;
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
		rc = print_status(ctl, &schema);
	schema_free(&schema);
	db_rows_free(&facts);
	return rc;
}

enum ctl_exit
migrate_check(const struct schema *s)
{
	int i;

	for (i = 0; i < s->n; i++)
		if (s->list[i].state == MIGRATION_CHANGED)
			ctl_error("migrations/%s is not the file that was "
			    "applied to this database", s->list[i].name);
	if (s->count[MIGRATION_CHANGED] > 0) {
		ctl_advice("released migrations never change: use the "
		    "devcredctl that was released");
		return CTL_FAILED;
	}
	if (s->count[MIGRATION_UNKNOWN] > 0) {
		ctl_error("the database has schema version %d, this "
		    "devcredctl knows versions up to %d", s->version,
		    s->newest);
		ctl_advice("install the newer devcred");
		return CTL_FAILED;
	}
	return CTL_DONE;
}

enum ctl_exit
migrate_report(const struct ctl *ctl, const struct schema *s)
{
	static const struct result_column columns[] = {
		{ "version", NULL, RESULT_NUM },
		{ "applied", NULL, RESULT_WORDS },
		RESULT_END
	};
	struct result r;
	struct buf applied;
	int i;

	buf_init(&applied, 0);
	for (i = 0; i < s->n; i++) {
		if (s->list[i].state != MIGRATION_PENDING)
			continue;
		buf_printf(&applied, "%s ", s->list[i].name);
		if (!ctl->json)
			printf("applied migrations/%s\n", s->list[i].name);
	}
	result_init(&r, ctl, columns);
	result_add_num(&r, s->newest);
	result_add(&r, buf_text(&applied));
	buf_free(&applied);
	return result_one(&r, "%sfunctions, views and grants re-applied; "
	    "schema version %d\n", s->count[MIGRATION_PENDING] == 0 ?
	    "nothing to migrate; " : "", s->newest);
}
