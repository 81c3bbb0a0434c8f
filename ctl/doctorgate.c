#include <ctype.h>
#include <dirent.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "doctor.h"

#define WHAT	"web server"

/* What the kernel says of a process. */
struct process {
	char	comm[32];
	uid_t	uid;
	gid_t	gid;
	bool	in_group;	/* in the one that was asked for */
};

/* What its programs are called. */
static const char *const programs[][2] = {
	[SERVER_LIGHTTPD] = { "lighttpd", NULL },
	[SERVER_APACHE] = { "apache2", "httpd" },
	[SERVER_NGINX] = { "nginx", NULL },
	[SERVER_OTHER] = { NULL, NULL },
};

/* One line of /proc/PID/status: a name, a tab, values. */
static void
read_line(struct process *p, char *line, gid_t group)
{
	bool gid = strncmp(line, "Gid:", 4) == 0;
	char *value = line + strcspn(line, "\t");
	char *word;
	char *rest;

	value += strspn(value, "\t");
	if (strncmp(line, "Name:", 5) == 0)
		snprintf(p->comm, sizeof(p->comm), "%.*s",
		    (int)strcspn(value, "\n"), value);
	if (strncmp(line, "Uid:", 4) == 0)
		p->uid = (uid_t)strtoul(value, NULL, 10);
	if (gid)
		p->gid = (gid_t)strtoul(value, NULL, 10);
	/* its own group counts as much as those it has besides */
	if (!gid && strncmp(line, "Groups:", 7) != 0)
		return;
	for (word = strtok_r(value, "\t \n", &rest); word != NULL;
	    word = strtok_r(NULL, "\t \n", &rest))
		if ((gid_t)strtoul(word, NULL, 10) == group)
			p->in_group = true;
}

static int
read_process(struct process *p, const char *pid, gid_t group)
{
	char path[64];
	char line[512];
	FILE *file;

	memset(p, 0, sizeof(*p));
	if (snprintf(path, sizeof(path), "/proc/%.20s/status", pid) >=
	    (int)sizeof(path) || (file = fopen(path, "re")) == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL)
		read_line(p, line, group);
	fclose(file);
	return 0;
}

static bool
is_server(const struct doctor *d, const struct process *p)
{
	size_t i;

	for (i = 0; i < 2; i++)
		if (programs[d->server][i] != NULL &&
		    strcmp(programs[d->server][i], p->comm) == 0)
			return true;
	return false;
}

static bool
may_connect(const struct doctor *d, const struct process *p)
{
	if (p->uid == d->socket_uid)
		return (d->socket_mode & S_IWUSR) != 0;
	if (p->in_group)
		return (d->socket_mode & S_IWGRP) != 0;
	return (d->socket_mode & S_IWOTH) != 0;
}

/* Whether this web server runs here, and as nobody who may use the socket. */
static bool
is_kept_out(const struct doctor *d, struct process *who)
{
	struct process p;
	struct dirent *entry;
	bool kept_out = false;
	DIR *proc;

	if ((proc = opendir("/proc")) == NULL)
		return false;
	while ((entry = readdir(proc)) != NULL) {
		/* masters are root, but it is their children who connect */
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    read_process(&p, entry->d_name, d->socket_gid) == -1 ||
		    !is_server(d, &p) || p.uid == 0)
			continue;
		if (may_connect(d, &p)) {
			kept_out = false;
			break;
		}
		kept_out = true;
		*who = p;
	}
	closedir(proc);
	return kept_out;
}

static void
say_kept_out(struct doctor *d, const struct process *who)
{
	const struct passwd *pw = getpwuid(who->uid);
	const struct group *gr;
	char *user = pw != NULL ? strdup(pw->pw_name) : NULL;

	gr = getgrgid(who->gid);
	doctor_todo(d, "devcred.conf: socket_group = %s, socket_mode = 0660, "
	    "and restart devcred.fcgi: %s runs as %s, who may not use the "
	    "socket", gr != NULL ? gr->gr_name : "its group",
	    doctor_server_name(d->server), user != NULL ? user : "somebody");
	free(user);
}

void
doctor_gateway(struct doctor *d, const struct web_answer *answer)
{
	struct process who;

	doctor_say(d, FINDING_FAULT, WHAT, "%s answers %d: it does not get at "
	    "devcred.fcgi", doctor_server_name(d->server), answer->status);
	switch (d->socket) {
	case SOCKET_SILENT:
	case SOCKET_ABSENT:
		doctor_todo(d, "start devcred.fcgi: systemctl start "
		    "devcred.socket devcred.service");
		break;
	case SOCKET_OPEN:
		if (!is_kept_out(d, &who)) {
			doctor_cure(d, TRAP_SOCKET);
			break;
		}
		say_kept_out(d, &who);
		break;
	case SOCKET_UNKNOWN:
		doctor_cure(d, TRAP_SOCKET);
		break;
	}
	doctor_todo(d, "the web server's error log says why");
}
