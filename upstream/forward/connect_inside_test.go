package forward

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestOpenerKeepsItsContext: what ends one opening, or comes too late for it, does not end
// the next.
func TestOpenerKeepsItsContext(t *testing.T) {
	const limit = time.Second
	kept := func(*testing.T, *opener, *conn, context.Context) {}
	for _, row := range []struct {
		name   string
		during func(t *testing.T, o *opener, c *conn, ctx context.Context)
		want   error // what ended ctx
	}{
		{"opened", kept, nil},
		{"opened just in time", func(*testing.T, *opener, *conn, context.Context) { time.Sleep(limit - 1) }, nil},
		{"killed", func(_ *testing.T, _ *opener, c *conn, _ context.Context) { c.kill() }, context.Canceled},
		{"too slow", func(*testing.T, *opener, *conn, context.Context) { time.Sleep(limit); synctest.Wait() }, context.DeadlineExceeded},
		{"forgotten", func(_ *testing.T, o *opener, _ *conn, _ context.Context) { o.forget() }, context.Canceled},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := new(opener)
				for range 3 {
					c, ctx := new(conn), o.begin(limit)
					if by, ok := ctx.Deadline(); !ok || time.Until(by) != limit {
						t.Fatalf("deadline %v", by)
					}
					if err := c.opens(o.end); err != nil || ctx.Err() != nil {
						t.Fatalf("begins with %v, %v", err, ctx.Err())
					}
					row.during(t, o, c, ctx)
					if err := ctx.Err(); !errors.Is(err, row.want) {
						t.Errorf("ended by %v, want %v", err, row.want)
					}
					c.opened()
					o.finish()
					c.kill() // somebody aborts the call, or the connection has served
				}
				o.forget()
			})
		})
	}
}

// TestKilledBefore: a connection that was killed is not opened any more.
func TestKilledBefore(t *testing.T) {
	c := new(conn)
	c.kill()
	if err := c.opens(func(error) { t.Error("called") }); !errors.Is(err, ErrAborted) {
		t.Errorf("opens: %v", err)
	}
	c.kill()
	select {
	case <-c.end():
	default:
		t.Error("whoever waits is not told")
	}
}
