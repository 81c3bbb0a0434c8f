#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

#define LOG_LINE_MAX	4096	/* bytes; longer ones are not written whole */
#define LOG_PAUSE	1000	/* ms between lines that come in thousands */

static const char *log_who = "devcred";
static enum log_level log_level = LOG_LEVEL_INFO;

static const char *const level_name[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void
log_setup(const char *who, enum log_level level)
{
	log_who = who;
	log_level = level;
}

bool
log_wants(enum log_level level)
{
	return level <= log_level;
}

enum log_level
log_seldom(void)
{
	static int64_t quiet_until;
	int64_t now = clock_ms();

	if (now < quiet_until)
		return LOG_LEVEL_DEBUG;
	quiet_until = now + LOG_PAUSE;
	return LOG_LEVEL_WARNING;
}

static bool
is_plain(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

static void
log_value(struct buf *line, const char *value)
{
	const unsigned char *p = (const unsigned char *)value;
	size_t len = strlen(value);
	size_t plain = 0;

	/* libpq's messages end in a newline */
	while (len > 0 && value[len - 1] == '\n')
		len--;
	while (plain < len && is_plain(p[plain]))
		plain++;
	if (len > 0 && plain == len) {
		buf_add(line, value, len);
		return;
	}
	buf_putc(line, '"');
	for (; len > 0; p++, len--) {
		if (*p == '"' || *p == '\\')
			buf_putc(line, '\\');
		if (*p == '\n')
			buf_puts(line, "\\n");
		else if (*p < ' ' || *p >= 0x7f)	/* C1 too, in UTF-8 */
			buf_printf(line, "\\x%02x", *p);
		else
			buf_putc(line, (char)*p);
	}
	buf_putc(line, '"');
}

void
log_event(enum log_level level, const char *event, ...)
{
	char room[64];
	struct buf line;
	const char *key;
	const char *value;
	va_list ap;
	ssize_t done;
	int saved = errno;

	if (!log_wants(level))
		return;
	buf_init(&line, LOG_LINE_MAX - 1);
	buf_printf(&line, "%s[%ld]: %s %s", log_who, (long)getpid(),
	    level_name[level], event);
	va_start(ap, event);
	while ((key = va_arg(ap, const char *)) != NULL) {
		if ((value = va_arg(ap, const char *)) == NULL)
			continue;
		buf_printf(&line, " %s=", key);
		log_value(&line, value);
	}
	va_end(ap);
	/* a line too long for the bound keeps its beginning */
	if (!buf_ok(&line)) {
		line.broken = false;
		if (line.len > LOG_LINE_MAX - sizeof(room))
			line.len = LOG_LINE_MAX - sizeof(room);
		buf_puts(&line, " ...");
	}
	line.max = LOG_LINE_MAX;
	buf_putc(&line, '\n');
	done = write(STDERR_FILENO, buf_text(&line), line.len);
	(void)done;	/* nowhere to tell */
	buf_free(&line);
	errno = saved;
}
