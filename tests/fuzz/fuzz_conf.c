/* The configuration file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "addr.h"
#include "fuzz.h"
#include "text.h"

/* A file in memory with these bytes, and its path. */
static const char *
put(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd == -1) {
		fd = memfd_create("conf", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	HOLDS(ftruncate(fd, 0) == 0);
	HOLDS(pwrite(fd, data, size, 0) == (ssize_t)size);
	return path;
}

/* Whether each line of what is told begins with where. */
static bool
told_where(const char *text, const char *path)
{
	size_t len = strlen(path);

	/* a NUL or newline cannot be in a line, so neither in what is told */
	for (; *text != '\0'; text += strcspn(text, "\n") + 1)
		if (strncmp(text, path, len) != 0 ||
		    text[strcspn(text, "\n")] != '\n')
			return false;
	return true;
}

static void
try_values(const struct conf *conf)
{
	HOLDS(conf->workers >= 0 && conf->workers <= 64);
	HOLDS(conf->verifiers >= 1 && conf->verifiers <= 16);
	HOLDS(conf->socket_mode >= 0 && conf->socket_mode <= 0777);
	HOLDS(conf->db_timeout >= 100 && conf->db_timeout <= 60000);
	HOLDS(conf->api_profile == PROFILE_CLASSIC ||
	    conf->api_profile == PROFILE_CURRENT);
	HOLDS(conf->require_tls == 0 || conf->require_tls == 1);
	HOLDS(conf->delivery_source >= SOURCE_OFF &&
	    conf->delivery_source <= SOURCE_ENFORCE);
	HOLDS(conf->crypt_cost >= 0 && conf->crypt_cost <= 12);
	HOLDS(addr_list_valid(conf->trusted_proxy));
	HOLDS(addr_list_valid(conf->health_from));
	HOLDS(path_prefix_valid(conf->path_prefix));
	HOLDS(conf->base_url[0] == '\0' || link_base_valid(conf->base_url));
	HOLDS(conf->database != NULL && conf->socket != NULL &&
	    conf->key_file != NULL && conf->default_tenant != NULL);
}

/* Written out, the texts and numbers are read as the same. */
static void
try_again(const struct conf *conf)
{
	struct conf back;
	struct buf error;
	struct buf file;

	buf_init(&error, 0);
	buf_init(&file, 0);
	buf_printf(&file, "database=%s\n \tkey_file \t=  %s \r\n"
	    "socket_mode = %lo\nworkers=%ld", conf->database, conf->key_file,
	    (unsigned long)conf->socket_mode, conf->workers);
	HOLDS(conf_load(&back, put((const uint8_t *)buf_text(&file), file.len),
	    &error) == 0);
	HOLDS(strcmp(back.database, conf->database) == 0);
	HOLDS(strcmp(back.key_file, conf->key_file) == 0);
	HOLDS(back.socket_mode == conf->socket_mode);
	HOLDS(back.workers == conf->workers);
	conf_free(&back);
	buf_free(&error);
	buf_free(&file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = put(data, size);
	struct conf conf;
	struct buf error;
	int rc;

	buf_init(&error, 0);
	rc = conf_load(&conf, path, &error);
	HOLDS((rc == 0) == (error.len == 0));
	HOLDS(strlen(buf_text(&error)) == error.len);
	HOLDS(told_where(buf_text(&error), path));
	/* what is wrong leaves what there was */
	try_values(&conf);
	try_again(&conf);
	conf_free(&conf);
	buf_free(&error);
	return 0;
}
