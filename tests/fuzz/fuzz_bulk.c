/* A file of a bulk registration, line by line, as bulk.c reads it. */
#include <stdlib.h>
#include <string.h>

#include "bulk_row.h"
#include "csv.h"
#include "fuzz.h"
#include "repr.h"
#include "text.h"

static void
try_header(const struct bulk_header *header)
{
	int i;

	HOLDS(header->ncolumns >= 1 && header->ncolumns <= BULK_COLUMNS);
	HOLDS(strchr(",;\t", header->separator) != NULL);
	for (i = 0; i < header->ncolumns; i++)
		HOLDS(utf8_valid(header->column[i].name,
		    strlen(header->column[i].name), NULL));
}

/* What the database is given of a device. */
static void
try_device(const struct bulk_header *header, const struct bulk_row *row)
{
	const char *why;
	struct repr *obj;

	HOLDS(device_id_valid(row->id, strlen(row->id), NULL));
	HOLDS(header->full == (row->password.text[0] != '\0'));
	HOLDS(!header->full || secret_password_may_be(row->password.text));
	HOLDS(!row->has_tenant || strlen(row->tenant) < TENANT_SIZE);
	HOLDS(!row->has_type ||
	    utf8_valid(buf_text(&row->type), row->type.len, NULL));
	obj = repr_parse(buf_text(&row->properties), row->properties.len, &why);
	HOLDS(obj != NULL);
	repr_free(obj);
}

static void
try_row(const struct bulk_header *header, struct bulk_row *row,
    const struct buf *line)
{
	switch (bulk_row_read(row, header, buf_text(line), line->len)) {
	case BULK_ROW_EMPTY:
		HOLDS(row->why.len == 0 && row->id[0] == '\0');
		break;
	case BULK_ROW_GOOD:
		HOLDS(row->why.len == 0);
		try_device(header, row);
		break;
	case BULK_ROW_BAD:
		HOLDS(row->why.len > 0);
		HOLDS(utf8_valid(buf_text(&row->why), row->why.len, NULL));
		HOLDS(utf8_valid(row->id, strlen(row->id), NULL));
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	const char *end = p + size;
	struct bulk_header header;
	struct csv_file file;
	struct bulk_row row;
	struct buf why;
	int rc = -1;

	memset(&header, 0, sizeof(header));
	csv_open(&file);
	bulk_row_init(&row);
	buf_init(&why, 0);
	if (csv_read(&file, &p, end) == CSV_RECORD ||
	    csv_read_last(&file) == CSV_RECORD) {
		rc = bulk_header_read(&header, buf_text(&file.record),
		    file.record.len, &why);
		HOLDS((rc == 0) == (why.len == 0));
		HOLDS(rc == -1 || buf_text(&why)[0] == '\0');
		file.separator = header.separator;
	}
	if (rc == 0)
		try_header(&header);
	while (rc == 0 && csv_read(&file, &p, end) == CSV_RECORD)
		try_row(&header, &row, &file.record);
	if (rc == 0 && csv_read_last(&file) == CSV_RECORD)
		try_row(&header, &row, &file.record);
	bulk_header_free(&header);
	bulk_row_free(&row);
	csv_close(&file);
	buf_free(&why);
	return 0;
}
