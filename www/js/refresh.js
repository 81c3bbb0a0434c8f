// Asking again and again, without hammering: only while the page is seen and
// nobody is at work in it, and more and more seldom while it fails.

const EVERY = 10000;		// ms
const SELDOM = 300000;		// ms between attempts at most

// load() asks, and throws what went wrong; busy() says that it is not the
// time; state({ error, next }) is called after each attempt.
export class Refresher {
	constructor({ load, busy, state }) {
		Object.assign(this, { load, busy, state });
		this.failures = 0;
		this.running = false;
		this.seen = () => {
			if (!document.hidden && this.running && Date.now() >= this.due) {
				this.now();
			}
		};
	}

	start() {
		this.running = true;
		document.addEventListener("visibilitychange", this.seen);
		return this.now();
	}

	stop() {
		this.running = false;
		document.removeEventListener("visibilitychange", this.seen);
		clearTimeout(this.timer);
	}

	plan(delay) {
		clearTimeout(this.timer);
		this.due = Date.now() + delay;
		this.timer = setTimeout(() => {
			if (document.hidden) {
				return;		// seen() goes on
			}
			if (this.busy()) {
				this.plan(EVERY);
			} else {
				this.now();
			}
		}, delay);
	}

	// Ask at once. Of several that overlap the last one counts.
	async now() {
		const turn = this.turn = (this.turn ?? 0) + 1;
		let error = null;
		clearTimeout(this.timer);
		try {
			await this.load(() => turn === this.turn && this.running);
		} catch (caught) {
			error = caught;
		}
		if (turn !== this.turn || !this.running) {
			return;
		}
		this.failures = error ? this.failures + 1 : 0;
		// not all pages come back at the same moment
		const delay = error ? Math.min(SELDOM, EVERY * 2 ** (this.failures - 1))
			* (0.8 + Math.random() * 0.4) : EVERY;
		this.state({ error, next: delay });
		this.plan(delay);
	}
}
