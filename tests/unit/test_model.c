#include "fixture.h"
#include "model.h"
#include "tap.h"

static const char *const statuses[] = {
	"WAITING_FOR_CONNECTION", "PENDING_ACCEPTANCE", "ACCEPTED", "BLOCKED"
};

static const struct {
	const char	*word;
	enum outcome	 outcome;
} outcomes[] = {
	{ "ok", OUTCOME_OK }, { "absent", OUTCOME_ABSENT },
	{ "exists", OUTCOME_EXISTS }, { "wrong_state", OUTCOME_WRONG_STATE },
	{ "token_mismatch", OUTCOME_TOKEN_MISMATCH },
	{ "token_blocked", OUTCOME_TOKEN_BLOCKED },
	{ "no_tenant", OUTCOME_NO_TENANT },
	{ "limit_reached", OUTCOME_LIMIT_REACHED },
	{ "", OUTCOME_UNKNOWN }, { "OK", OUTCOME_UNKNOWN },
	{ "okay", OUTCOME_UNKNOWN }, { "o", OUTCOME_UNKNOWN },
};

static const struct {
	const char	*name;
	const char	*list;
	unsigned int	 bits;
} roles[] = {
	{ "none", "", ROLE_ANY },
	{ "nothing but spaces", "   ", ROLE_ANY },
	{ "one", "ROLE_DEVICE", ROLE_DEVICE },
	{ "one with spaces around it", "  ROLE_DEVICE  ", ROLE_DEVICE },
	{ "two, one of them twice",
	  "ROLE_DEVICE_BOOTSTRAP  ROLE_DEVICE_CONTROL_READ "
	  "ROLE_DEVICE_BOOTSTRAP",
	  ROLE_DEVICE_BOOTSTRAP | ROLE_DEVICE_CONTROL_READ },
	{ "an unknown one beside a known one",
	  "ROLE_ALL ROLE_USER_MANAGEMENT_ADMIN", ROLE_USER_MANAGEMENT_ADMIN },
	{ "the beginning of one", "ROLE_DEVICE_CONTROL", ROLE_ANY },
	{ "one and more", "ROLE_DEVICE_CONTROL_ADMINX", ROLE_ANY },
	{ "one in lower case", "role_device", ROLE_ANY },
	{ "two joined by a comma", "ROLE_DEVICE,ROLE_DEVICE", ROLE_ANY },
	{ "two joined by a tab", "ROLE_DEVICE\tROLE_DEVICE", ROLE_ANY },
};

/* Ids, and what is said of those that cannot be one. */
static const struct {
	const char	*id;
	const char	*why;
} ids[] = {
	{ "a", "" },
	{ "", "A device id has 1 to 1000 characters." },
	{ "\xff", "A device id has 1 to 1000 characters." },
	{ "a/b\xc3\xa9", "Device id 'a/b\xc3\xa9' contains '/' character "
	  "which is not permitted." },
	{ "a\xe2\x80\xa8" "b", "Device id 'a\xe2\x80\xa8" "b' contains "
	  "'\xe2\x80\xa8' character which is not permitted." },
	/* what is said is text, whatever it is said of */
	{ "a/b\xff", "A device id has 1 to 1000 characters." },
};

static void
test_ids(void)
{
	struct buf why;
	size_t i;

	buf_init(&why, 0);
	for (i = 0; i < COUNT(ids); i++) {
		buf_reset(&why);
		OK(device_id_check(ids[i].id, &why) == (ids[i].why[0] == '\0'),
		    "id %zu may be one, or not", i);
		IS_STR(buf_text(&why), ids[i].why, "and it is said why not");
	}
	buf_free(&why);
}

int
main(void)
{
	unsigned int bit;
	size_t i;

	for (i = 0; i < COUNT(statuses); i++) {
		IS_STR(request_status_name((enum request_status)i),
		    statuses[i], "status %zu has its name", i);
		IS_INT(request_status_of(statuses[i]), (int)i,
		    "which is the name of that status");
	}
	IS_INT(request_status_of(""), REQUEST_STATUS_NONE, "\"\" is no status");
	IS_INT(request_status_of("accepted"), REQUEST_STATUS_NONE,
	    "nor is a name in lower case");
	IS_INT(request_status_of("none"), REQUEST_STATUS_NONE, "nor is none");
	IS_STR(request_status_name(REQUEST_STATUS_NONE), "none",
	    "what is no status can be printed");
	for (i = 0; i < COUNT(outcomes); i++)
		IS_INT(outcome_of(outcomes[i].word), outcomes[i].outcome,
		    "the outcome of \"%s\"", outcomes[i].word);
	for (i = 0; i < COUNT(roles); i++)
		IS_INT(role_bits(roles[i].list), roles[i].bits,
		    "a list of roles: %s", roles[i].name);
	for (bit = 1; bit <= ROLE_DEVICE; bit <<= 1)
		IS_INT(role_bits(role_name(bit)), bit,
		    "%s is the name of a bit", role_name(bit));
	IS_STR(role_name(0), "none", "no bit has no name");
	IS_STR(role_name(3), "none", "nor have two");
	test_ids();
	return tap_done();
}
