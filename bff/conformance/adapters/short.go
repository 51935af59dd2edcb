package adapters

import (
	"strconv"
	"sync"
	"time"

	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// life is how long sessions shall live; 0 stands for a product's usual time.
type life struct{ idle, most time.Duration }

// seconds is a time as most products are told it.
func seconds(d, usual time.Duration) string {
	if d == 0 {
		d = usual
	}
	return strconv.Itoa(int(d.Seconds()))
}

// briefly starts a product again with sessions that end by idleness or by age, once for
// each, in worlds that end with the first one. One of lives that is 0 is an end that the
// product's documentation does not name.
func briefly(w *world.World, lives life, slack time.Duration, start func(w *world.World, l life) (*suite.Subject, error)) suite.Short {
	type brief struct {
		w   *world.World
		s   *suite.Subject
		err error
	}
	begin := func(l life) func() brief {
		return sync.OnceValue(func() brief {
			inner, err := world.New()
			if err != nil {
				return brief{err: err}
			}
			w.OnEnd(inner.Close)
			s := &suite.Subject{}
			if l != (life{}) {
				if s, err = start(inner, l); err != nil {
					return brief{err: err}
				}
			}
			s.Lives = suite.Lives{Idle: l.idle, Most: l.most, Slack: slack}
			return brief{inner, s, nil}
		})
	}
	ends := map[suite.Ending]func() brief{suite.ByIdleness: begin(life{idle: lives.idle}), suite.ByAge: begin(life{most: lives.most})}
	return func(ending suite.Ending) (*world.World, *suite.Subject, error) {
		b := ends[ending]()
		return b.w, b.s, b.err
	}
}
