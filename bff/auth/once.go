package auth

import (
	"context"
	"crypto/rand"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/problem"
	"coatcheck/bff/session/store"
)

// workMargin is how much longer than its API may take an event counts as being at work.
const workMargin = 5 * time.Second

// Two things are remembered of an event: that somebody is at work on it, which ends by
// itself, and that it is done. Done is written before the work ends, and looked for
// after it was begun, so that no event is handled twice, and none is lost when the
// process ends meanwhile.

func (p *Programs) working(event string) string { return p.prefix + ":o:{" + event + "}" }
func (p *Programs) done(event string) string    { return p.working(event) + ":d" }

// begin takes an event up. again reports that it is done already; somebody else being at
// work on it is [problem.EventAtWork]. Errors: that, [store.ErrUnavailable].
func (k *Callers) begin(ctx context.Context, c *call.Call, who *Caller) (again bool, err error) {
	event, p := who.proven.once, k.programs
	if event == "" {
		return false, nil
	}
	if p.counters == nil {
		return false, store.ErrUnavailable
	}
	id, window := rand.Text(), c.Route().Config.HeaderTimeout+workMargin
	wait, _, err := p.counters.Count(ctx, p.working(event), id, 1, window)
	if err != nil {
		return false, store.Unavailable("event", err)
	}
	done, err := p.counters.Marked(ctx, p.done(event))
	if err == nil && !done && wait == 0 {
		who.once, who.id = event, id
		return false, nil
	}
	if wait == 0 {
		_ = p.counters.Uncount(ctx, p.working(event), id) // or it ends by itself
	}
	switch {
	case err != nil:
		return false, store.Unavailable("event", err)
	case done:
		return true, nil
	}
	return false, problem.EventAtWork.Because("the same event is being handled at the moment")
}

// Finish ends the work on an event: done where the API took it, and else free for the
// next attempt. It is called once for each call that begin let pass. A store that is
// away forgets the work by itself.
func (k *Callers) Finish(p *Principal, status int) {
	who := p.Caller
	if who == nil || who.once == "" {
		return
	}
	ctx, cancel := call.Detached()
	defer cancel()
	event, of := who.once, k.programs
	who.once = ""
	if status/100 == 2 {
		if err := of.counters.Mark(ctx, of.done(event), who.proven.remember); err != nil {
			k.events.Log.Warn("event not remembered", "caller", who.Name, "error", err)
			return // still at work for a while: better than twice
		}
	}
	_ = of.counters.Uncount(ctx, of.working(event), who.id)
}
