package session

import (
	"context"

	"coatcheck/bff/session/store"
)

// keepLimit ends a person's oldest sessions beyond the limit. Every sign-in adds
// its entry first and then looks at all of them, so however many happen at once,
// the last to look sees all and leaves no more than the limit.
func (p *people) keepLimit(ctx context.Context, o *settings, s *Session) error {
	if o.perPerson == 0 {
		return nil
	}
	all, err := p.listed(ctx, o, s.Frontend, s.Subject)
	if err != nil || len(all) <= o.perPerson {
		return err
	}
	_, err = p.endListed(ctx, o, s.Frontend, s.Subject, all[:len(all)-o.perPerson])
	return err
}

// endListed revokes sessions and returns how many it ended.
func (p *people) endListed(ctx context.Context, o *settings, frontend, subject string, all []listed) (int, error) {
	var ids []string
	ended := 0
	for _, e := range all {
		was, err := p.revoke(ctx, e.hash)
		if err != nil {
			return ended, err
		}
		if was {
			ended++
		}
		ids = append(ids, e.ID)
	}
	if len(ids) > 0 {
		p.dropEntries(ctx, o, frontend, subject, ids...)
	}
	return ended, nil
}

// revoke ends a session, also where it has been exchanged since it was listed. It reports
// whether there was one.
func (p *people) revoke(ctx context.Context, h hash) (bool, error) {
	for {
		_, outcome, err := p.remove(ctx, h, 0, Revoked)
		if err != nil || outcome != store.Gone {
			return outcome == store.Done, err
		}
		next, err := p.movedTo(ctx, h)
		if err != nil || next == h {
			return false, err
		}
		h = next
	}
}

func (p *people) endAllBut(ctx context.Context, frontend, subject, id string) (int, error) {
	o := p.settings.Load()
	all, err := p.listed(ctx, o, frontend, subject)
	if err != nil {
		return 0, store.Unavailable("end others", err)
	}
	others := all[:0]
	for _, e := range all {
		if e.ID != id {
			others = append(others, e)
		}
	}
	n, err := p.endListed(ctx, o, frontend, subject, others)
	if err != nil {
		return n, store.Unavailable("end others", err)
	}
	return n, nil
}
