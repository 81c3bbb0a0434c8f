#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "interrupt.h"
#include "progress.h"

#define PAUSE		250	/* ms between two looks at it */
#define WIDTH		80	/* of a terminal that does not say */
#define WIDTH_MAX	120
#define BAR_MIN		10	/* a shorter bar tells nothing */

static int drawn;		/* characters of the line that stands there */

static int
terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == -1 ||
	    size.ws_col == 0)
		return WIDTH;
	return size.ws_col > WIDTH_MAX ? WIDTH_MAX : size.ws_col;
}

void
progress_clear(void)
{
	if (drawn > 0)
		fprintf(stderr, "\r%*s\r", drawn, "");
	drawn = 0;
}

void
progress_start(struct progress *p, const struct ctl *ctl, const char *unit)
{
	memset(p, 0, sizeof(*p));
	p->on = isatty(STDERR_FILENO) == 1 && !ctl->json && !ctl->quiet;
	p->unit = unit;
	p->start = clock_ms();
	p->shown = p->start;
}

static void
put_time(struct buf *out, long seconds)
{
	if (seconds >= 3600)
		buf_printf(out, "%ld:%02ld:%02ld", seconds / 3600,
		    seconds / 60 % 60, seconds % 60);
	else
		buf_printf(out, "%ld:%02ld", seconds / 60, seconds % 60);
}

/* A bar for what is done, and room for what is not. */
static void
put_bar(struct buf *out, double part, int width)
{
	int full = (int)(part * width);
	int i;

	buf_putc(out, '[');
	for (i = 0; i < width; i++)
		buf_putc(out, i < full ? '#' : '.');
	buf_puts(out, "] ");
}

static void
draw(const struct progress *p, int64_t now)
{
	double seconds = (double)(now - p->start) / 1000;
	int width = terminal_width() - 1;	/* the last one would wrap */
	struct buf text;
	struct buf line;
	int bar;

	buf_init(&text, 0);
	buf_init(&line, 0);
	if (p->part > 0)
		buf_printf(&text, "%.0f %%  ", p->part * 100);
	buf_printf(&text, "%ld %s, %.0f/s, ", p->done, p->unit,
	    seconds > 0 ? (double)p->done / seconds : 0);
	put_time(&text, (long)seconds);
	if (p->part > 0) {
		buf_puts(&text, ", left ");
		put_time(&text, (long)(seconds / p->part - seconds + 0.5));
	}
	bar = width - (int)text.len - 3;
	if (p->part > 0 && bar >= BAR_MIN)
		put_bar(&line, p->part, bar < 30 ? bar : 30);
	buf_puts(&line, buf_text(&text));
	bar = (int)line.len < width ? (int)line.len : width;
	fprintf(stderr, "\r%.*s%*s", bar, buf_text(&line),
	    drawn > bar ? drawn - bar : 0, "");
	drawn = drawn > bar ? drawn : bar;
	buf_free(&text);
	buf_free(&line);
}

void
progress_show(struct progress *p, long done, double part)
{
	int64_t now = clock_ms();

	p->done = done;
	p->part = part > 1 ? 1 : part;
	if (!p->on || now - p->shown < PAUSE)
		return;
	p->shown = now;
	draw(p, now);
}

void
progress_end(struct progress *p)
{
	p->on = false;
	progress_clear();
}

enum db_status
progress_wait(struct progress *p, struct db *db, bool cancel,
    struct db_rows *rows)
{
	bool cancelled = false;
	struct pollfd fd;
	int64_t left;

	while (db_busy(db)) {
		if (cancel && !cancelled && interrupt_came()) {
			db_cancel(db);
			cancelled = true;
		}
		fd.fd = db_fd(db);
		fd.events = db_events(db);
		left = db_deadline(db) - clock_ms();
		if (left > 0)
			poll(&fd, 1, left < PAUSE ? (int)left : PAUSE);
		db_step(db);
		progress_show(p, p->done, p->part);
	}
	return db_result(db, rows);
}
