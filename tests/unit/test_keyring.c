#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "keyfile.h"
#include "keyring.h"
#include "secret.h"
#include "tap.h"

#define HEX16	"00112233445566778899aabbccddeeff"
#define HEX_A	HEX16 HEX16
#define HEX_B	HEX16 "FFEEDDCCBBAA99887766554433221100"
#define LINE_A	"a " HEX_A " 2026-11-23\n"
#define LINE_B	"b-2 " HEX_B " 2026-11-24\n"
#define ID32	"abcdefghijklmnopqrstuvwxyz-01234"

static char dir[] = "/tmp/devcred-keyring-XXXXXX";
static char path[sizeof(dir) + 8];
static char other[sizeof(dir) + 8];

/* Make the file hold these bytes. */
static void
put(const char *text, size_t len)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	if (f == NULL || fwrite(text, 1, len, f) != len || fclose(f) != 0 ||
	    chmod(path, 0600) == -1) {
		puts("Bail out! cannot write a file");
		exit(1);
	}
}

/* Load a file, and say what is told if it is refused. */
static struct keyring *
load(const char *file, char *told, size_t size)
{
	struct keyring *ring;
	struct buf error;

	buf_init(&error, 0);
	ring = keyring_load(file, &error);
	snprintf(told, size, "%s", buf_text(&error));
	OK((ring == NULL) == (error.len > 0),
	    "a refusal, and nothing else, comes with words");
	OK(strstr(told, "0011") == NULL && strstr(told, "secret") == NULL &&
	    strchr(told, '\n') == NULL, "on one line, without what is in it");
	buf_free(&error);
	return ring;
}

static struct keyring *
load_text(const char *text)
{
	char told[300];
	struct keyring *ring;

	put(text, strlen(text));
	ring = load(path, told, sizeof(told));
	if (!OK(ring != NULL, "the file is good: %s", told))
		exit(1);
	return ring;
}

static void
test_load(void)
{
	static const unsigned char a[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
		0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	struct keyring *ring = load_text("# keys\n\n \t\n" LINE_A
	    "  # secret\n\t b-2\t " HEX_B "  2026-11-24 \t\n"
	    ID32 " " HEX_A " 2026-12-31");
	unsigned char b[16];
	size_t i;

	for (i = 0; i < sizeof(a); i++)
		b[i] = a[sizeof(a) - 1 - i];
	IS_INT((long long)keyring_count(ring), 3,
	    "comments and empty lines are no keys");
	IS_STR(keyring_id(ring, 0), "a", "the first has its id");
	IS_STR(keyring_created(ring, 1), "2026-11-24", "the next its date");
	IS_INT(keyring_line(ring, 1), 6, "and its line");
	IS_STR(keyring_current(ring), ID32, "the last seals, newline or not");
	IS_MEM(keyring_find(ring, "a"), 16, a, 16, "a key has its bytes");
	IS_MEM(keyring_find(ring, "b-2") + 16, 16, b, 16,
	    "in either case of digits");
	OK(keyring_find(ring, "b") == NULL && keyring_find(ring, "") == NULL,
	    "an id is found as a whole, or not at all");
	keyring_free(ring);
	keyring_free(NULL);
}

/* Texts that no key file is, with a part of what is told. */
static const struct {
	const char	*name;
	const char	*text;
	const char	*told;
} malformed[] = {
	{ "nothing", "", "keys has no key" },
	{ "comments alone", "# secret\n\n", "keys has no key" },
	{ "an id alone", "secret\n", "keys:1: a line is an id" },
	{ "a key without its id", HEX_A " 2026-11-23\n", "keys:1: a line is" },
	{ "a key without its date", LINE_A "b " HEX_A "\n", "keys:2: a line" },
	{ "a word too many", "a " HEX_A " 2026-11-23 secret\n", "a line is" },
	{ "an id with a capital", "aB " HEX_A " 2026-11-23\n", "a line is" },
	{ "an id with an underscore", "a_ " HEX_A " 2026-11-23\n", "a line" },
	{ "an id of 33", ID32 "5 " HEX_A " 2026-11-23\n", "a line is" },
	{ "a digit too few", "a 0" HEX16 "00112233445566778899aabbccddee"
	  " 2026-11-23\n", "a line is" },
	{ "a digit too many", "a " HEX_A "0 2026-11-23\n", "a line is" },
	{ "half a key", "a " HEX16 " 2026-11-23\n", "a line is" },
	{ "a letter that is no digit",
	  "a " HEX16 "0011223344556677g899aabbccddeeff 2026-11-23\n",
	  "a line is" },
	{ "no date", "a " HEX_A " 2026-13-01\n", "a line is" },
	{ "no day", "a " HEX_A " 2026-11-00\n", "a line is" },
	{ "a date too short", "a " HEX_A " 2026-11-2\n", "a line is" },
	{ "a date with a time", "a " HEX_A " 2026-11-23T00:00\n", "a line" },
	{ "a carriage return", "a " HEX_A " 2026-11-23\r\n", "a line is" },
	{ "an id twice", LINE_A LINE_B "\na " HEX_B " 2026-11-25\n",
	  "keys:4: this id is that of line 1" },
};

static void
test_malformed(void)
{
	static const char nul[] = LINE_A "# \0 secret\n" LINE_B;
	char told[300];
	size_t i;

	for (i = 0; i < COUNT(malformed); i++) {
		put(malformed[i].text, strlen(malformed[i].text));
		OK(load(path, told, sizeof(told)) == NULL, "refused: %s",
		    malformed[i].name);
		HAS(told, malformed[i].told, "it is told where and why");
	}
	put(nul, sizeof(nul) - 1);
	OK(load(path, told, sizeof(told)) == NULL, "refused: a NUL");
	HAS(told, "keys:2: there is a NUL", "it is told where and why");
}

/* As many keys, and bytes, as there may be; and one more. */
static void
test_bounds(void)
{
	struct buf text;
	struct keyring *ring;
	char told[300];
	char *fill;
	int i;

	buf_init(&text, 0);
	for (i = 0; i < KEYRING_MAX; i++)
		buf_printf(&text, "k%d " HEX_A " 2026-11-23\n", i);
	ring = load_text(buf_text(&text));
	IS_STR(keyring_current(ring), "k63", "there can be %d keys", i);
	keyring_free(ring);
	buf_printf(&text, "#\n" LINE_A);
	put(text.data, text.len);
	OK(load(path, told, sizeof(told)) == NULL, "one more is refused");
	HAS(told, "keys:66: there are more than 64 keys", "with its line");
	buf_reset(&text);
	buf_puts(&text, LINE_A "#");
	fill = repeated("x", KEYFILE_MAX - text.len);
	buf_puts(&text, fill);
	ring = load_text(buf_text(&text));
	IS_STR(keyring_current(ring), "a", "there can be %zu bytes", text.len);
	keyring_free(ring);
	buf_putc(&text, '\n');
	put(text.data, text.len);
	OK(load(path, told, sizeof(told)) == NULL, "one more is refused");
	HAS(told, "keys is larger than 65536 bytes", "and told");
	free(fill);
	buf_free(&text);
}

static const struct {
	mode_t		 mode;
	const char	*told;	/* NULL: it is good */
} modes[] = {
	{ 0600, NULL }, { 0400, NULL }, { 0640, NULL }, { 0440, NULL },
	{ 0700, NULL },
	{ 0644, "is open to others (mode 0644)" },
	{ 0604, "is open to others" }, { 0602, "is open to others" },
	{ 0601, "is open to others" }, { 0666, "is open to others" },
	{ 0660, "is more to its group than readable (mode 0660)" },
	{ 0620, "is more to its group" }, { 0650, "is more to its group" },
};

static void
test_modes(void)
{
	struct keyring *ring;
	char told[300];
	size_t i;

	put(LINE_A, strlen(LINE_A));
	for (i = 0; i < COUNT(modes); i++) {
		chmod(path, modes[i].mode);
		ring = load(path, told, sizeof(told));
		OK((ring != NULL) == (modes[i].told == NULL),
		    "mode %04o is %s", (unsigned int)modes[i].mode,
		    modes[i].told == NULL ? "good" : "refused");
		HAS(told, modes[i].told != NULL ? modes[i].told : "",
		    "and told");
		keyring_free(ring);
	}
	/* a link has mode 0777; what it leads to counts */
	OK(symlink(path, other) == 0, "a link");
	OK(load(other, told, sizeof(told)) == NULL, "to a lax file is refused");
	chmod(path, 0600);
	ring = load(other, told, sizeof(told));
	OK(ring != NULL, "to a strict one is good");
	keyring_free(ring);
	unlink(other);
}

static void
test_kinds(void)
{
	struct keyring *ring;
	char told[300];

	OK(load(dir, told, sizeof(told)) == NULL, "a folder is refused");
	HAS(told, "is not a regular file", "and told");
	OK(mkfifo(other, 0600) == 0, "a FIFO that nobody writes to");
	OK(load(other, told, sizeof(told)) == NULL, "is refused at once");
	HAS(told, "is not a regular file", "and told");
	unlink(other);
	OK(load("/dev/null", told, sizeof(told)) == NULL, "so is a device");
	HAS(told, "is not a regular file", "and told");
	OK(load(other, told, sizeof(told)) == NULL, "so is what is missing");
	HAS(told, "No such file", "and told");
	if (geteuid() != 0)
		return;		/* only root can give files away */
	put(LINE_A, strlen(LINE_A));
	OK(chown(path, 12345, (gid_t)-1) == 0, "a file of somebody else");
	OK(load(path, told, sizeof(told)) == NULL, "is refused, by root too");
	HAS(told, "belongs to somebody else", "and told");
	OK(chmod(dir, 0755) == 0 && seteuid(12345) == 0,
	    "we are that somebody");
	ring = load(path, told, sizeof(told));
	OK(ring != NULL, "who may read it");
	keyring_free(ring);
	OK(seteuid(0) == 0 && chown(path, 0, 12345) == 0 &&
	    chmod(path, 0640) == 0 && setegid(12345) == 0 &&
	    seteuid(12345) == 0,
	    "a file of root, readable by our group");
	ring = load(path, told, sizeof(told));
	OK(ring != NULL, "can be read as well: %s", told);
	keyring_free(ring);
	OK(seteuid(0) == 0 && setegid(0) == 0, "we are root again");
}

/* What a seal opens with, each with one thing that is another. */
static const struct {
	const char	*name;
	const char	*key_id;
	const char	*tenant;
	const char	*device;
	long		 number;
	int		 rc;
} claims[] = {
	{ "what it was sealed for", "b-2", "t1", "dev 1", 7, 0 },
	{ "another key", "a", "t1", "dev 1", 7, -1 },
	{ "the same bytes under another id", "same", "t1", "dev 1", 7, -1 },
	{ "a key that is gone", "gone", "t1", "dev 1", 7, -1 },
	{ "another tenant", "b-2", "t2", "dev 1", 7, -1 },
	{ "another device", "b-2", "t1", "dev 2", 7, -1 },
	{ "another number", "b-2", "t1", "dev 1", 8, -1 },
	{ "no device", "b-2", "t1", "", 7, -1 },
	{ "a boundary elsewhere", "b-2", "t1\ndev 1", "", 7, -1 },
	{ "a number elsewhere", "b-2", "t1", "dev 1\n7", 0, -1 },
};

static void
test_seal(void)
{
	struct keyring *ring = load_text(LINE_A "same " HEX_B " 2026-11-01\n"
	    LINE_B);
	struct keyring *later;
	struct keyring *none;
	char text[33];
	struct buf out;
	size_t i;

	buf_init(&out, 0);
	IS_INT(keyring_seal(ring, "t1", "dev 1", 7, "Password", &out), 0,
	    "a password is sealed");
	for (i = 0; i < COUNT(claims); i++) {
		memset(text, '?', sizeof(text));
		IS_INT(keyring_unseal(ring, claims[i].key_id, claims[i].tenant,
		    claims[i].device, claims[i].number, out.data, out.len,
		    text, sizeof(text)), claims[i].rc,
		    "%s %s it", claims[i].name,
		    claims[i].rc == 0 ? "opens" : "does not open");
		IS_STR(text, claims[i].rc == 0 ? "Password" : "",
		    "and that is the text");
	}
	IS_INT(keyring_unseal(ring, "b-2", "t1", "dev 1", 7, out.data, out.len,
	    text, 8), -1, "it must fit, with its NUL");
	later = load_text(LINE_B "c " HEX_A " 2026-11-25\n");
	IS_INT(keyring_unseal(later, "b-2", "t1", "dev 1", 7, out.data,
	    out.len, text, sizeof(text)), 0,
	    "a key opens as long as it is there, if another seals or not");
	IS_STR(keyring_ids(later), "{\"b-2\",\"c\"}", "these are there");
	buf_reset(&out);
	IS_INT(keyring_seal(ring, "t\n1", "d", 1, "x", &out), -1,
	    "what holds a newline is not sealed for");
	IS_INT((long long)out.len, 0, "and nothing is added");
	none = keyring_parse("#\n", 2, "x", &out);
	OK(none != NULL && keyring_count(none) == 0 &&
	    keyring_current(none) == NULL, "without a key");
	IS_INT(keyring_seal(none, "t1", "d", 1, "x", &out), -1,
	    "nothing is sealed");
	IS_STR(keyring_ids(none), "{}", "and the list is empty");
	keyring_free(none);
	keyring_free(later);
	keyring_free(ring);
	buf_free(&out);
}

/* What the system says of the memory at p: its VmFlags. */
static void
flags_of(const void *p, char *flags, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];
	char *end;
	uintptr_t from;
	uintptr_t to;
	bool in = false;

	flags[0] = '\0';
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		from = (uintptr_t)strtoull(line, &end, 16);
		if (end > line && *end == '-') {
			to = (uintptr_t)strtoull(end + 1, &end, 16);
			in = from <= (uintptr_t)p && (uintptr_t)p < to;
		} else if (in && strncmp(line, "VmFlags:", 8) == 0) {
			snprintf(flags, size, "%s", line + 8);
		}
	}
	if (f != NULL)
		fclose(f);
}

/* Keys, and the text they come from, are in no core. */
static void
test_memory(void)
{
	struct keyring *ring = load_text(LINE_A);
	struct keyfile file;
	struct buf error;
	char flags[512];

	flags_of(keyring_find(ring, "a"), flags, sizeof(flags));
	HAS(flags, " dd", "keys are left out of a core");
	keyring_free(ring);
	buf_init(&error, 0);
	IS_INT(keyfile_read(&file, path, &error), 0, "the file is read");
	IS_STR(file.text, LINE_A, "as it is");
	IS_INT(file.mode, 0600, "with its mode");
	flags_of(file.text, flags, sizeof(flags));
	HAS(flags, " dd", "its text is left out of a core as well");
	keyfile_free(&file);
	keyfile_free(&file);
	OK(file.text == NULL && file.len == 0, "and is gone after use");
	flags_of(&file, flags, sizeof(flags));
	OK(flags[0] != '\0' && strstr(flags, " dd") == NULL,
	    "other memory is not");
	buf_free(&error);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL) {
		puts("Bail out! no temporary folder");
		return 1;
	}
	snprintf(path, sizeof(path), "%s/keys", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	test_load();
	test_malformed();
	test_bounds();
	test_modes();
	test_kinds();
	test_seal();
	test_memory();
	unlink(path);
	rmdir(dir);
	return tap_done();
}
