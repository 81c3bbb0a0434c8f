/*
 * echo: the limit of a FastCGI responder with libfcgi: takes a request with a
 * small body and answers at once.
 *
 *	echo SOCKET PROCESSES
 */
#include <sys/prctl.h>

#include <fcgiapp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const char answer[] =
    "Status: 404 Not Found\r\n"
    "Content-Type: application/vnd.com.nsn.cumulocity.error+json\r\n"
    "\r\n"
    "{\"error\":\"devicecontrol/Not Found\","
    "\"message\":\"no accepted request\"}";

static void
serve(int listener)
{
	FCGX_Request request;
	char body[4096];

	FCGX_InitRequest(&request, listener, 0);
	while (FCGX_Accept_r(&request) == 0) {
		while (FCGX_GetStr(body, sizeof(body), request.in) ==
		    (int)sizeof(body))
			continue;
		FCGX_PutStr(answer, sizeof(answer) - 1, request.out);
		FCGX_Finish_r(&request);
	}
}

int
main(int argc, char **argv)
{
	int listener;
	long i;

	if (argc != 3 || FCGX_Init() != 0 ||
	    (listener = FCGX_OpenSocket(argv[1], 1024)) == -1)
		return 1;
	for (i = strtol(argv[2], NULL, 10); i > 1; i--)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			break;
		}
	serve(listener);
	return 0;
}
