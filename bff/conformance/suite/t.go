package suite

import (
	"fmt"
	"runtime/debug"
	"time"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/world"
)

// T is one case under way.
type T struct {
	W *world.World
	S *Subject
	// Undo runs when the case has ended.
	undo []func()
}

type outcome struct {
	verdict Verdict
	reason  string
}

// Run gives the verdict of one case.
func Run(w *world.World, s *Subject, c Case) (r Result) {
	begun := time.Now()
	r = Result{Case: c, ID: c.ID, Verdict: Pass}
	for _, name := range []string{c.ID, c.Group} {
		if why := s.Except[name]; why != "" {
			r.Verdict, r.Reason = NotApplicable, why
			return r
		}
	}
	t := &T{W: w, S: s}
	defer func() {
		if o := recover(); o != nil {
			r.settle(o)
		}
		finish(t)
		r.Took = time.Since(begun)
	}()
	c.Run(t)
	return r
}

func (r *Result) settle(o any) {
	if said, ok := o.(outcome); ok {
		r.Verdict, r.Reason = said.verdict, said.reason
		return
	}
	r.Verdict, r.Reason = Undecided, fmt.Sprintf("the case itself broke: %v\n%s", o, debug.Stack())
}

// Fail ends the case: the subject does not keep the promise.
func (t *T) Fail(format string, args ...any) { panic(outcome{Fail, fmt.Sprintf(format, args...)}) }

// Skip ends the case: the promise does not apply.
func (t *T) Skip(format string, args ...any) {
	panic(outcome{NotApplicable, fmt.Sprintf(format, args...)})
}

// Stuck ends the case: it could not be looked at.
func (t *T) Stuck(format string, args ...any) {
	panic(outcome{Undecided, fmt.Sprintf(format, args...)})
}

// FailIf fails where something is so.
func (t *T) FailIf(so bool, format string, args ...any) {
	if so {
		t.Fail(format, args...)
	}
}

// After runs f when the case has ended, whatever came of it.
func (t *T) After(f func()) { t.undo = append(t.undo, f) }

// Browser opens an empty browser.
func (t *T) Browser() *browser.Browser {
	b := browser.New(t.W.Lookup, t.S.Edge)
	if t.S.Provider != nil {
		b.Script = t.S.Provider.Script
	}
	return b
}

// Most is a time to wait, shorter where the subject says that it is quick.
func (t *T) Most(d time.Duration) time.Duration {
	if t.S.Patience > 0 {
		return min(d, t.S.Patience)
	}
	return d
}

// Wait waits for a condition and reports whether it came.
func (t *T) Wait(most time.Duration, ok func() bool) bool {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(15 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}
