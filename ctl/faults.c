#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "faults.h"
#include "text.h"

void
faults_init(struct faults *faults, const struct ctl *ctl)
{
	faults->ctl = ctl;
	faults->n = 0;
	buf_init(&faults->array, 0);
	buf_putc(&faults->array, '[');
}

void
faults_add(struct faults *faults, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	faults->n++;
	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len == -1)
		return;		/* it is counted */
	if (faults->ctl->json) {
		if (faults->n > 1)
			buf_puts(&faults->array, ", ");
		json_quote(&faults->array, text);
	} else {
		puts(text);
	}
	free(text);
}

const char *
faults_array(struct faults *faults)
{
	buf_putc(&faults->array, ']');
	return buf_text(&faults->array);
}

void
faults_free(struct faults *faults)
{
	buf_free(&faults->array);
}
