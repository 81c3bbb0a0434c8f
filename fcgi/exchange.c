#include "exchange.h"

enum need
exchange_call(struct exchange *x)
{
	/* what changes something is recorded under the id of its request */
	if (!store_statement(x->call.id)->reads)
		store_add(&x->call, x->request);
	if (store_call_ok(&x->call))
		return NEED_CALL;
	reply_unavailable(&x->reply);
	return NEED_NOTHING;
}
