package call

import "sync"

// Work counts what is going on, for whoever waits for the end of all of it. Other than with a
// [sync.WaitGroup], work may begin while somebody waits already and none is left. Its zero
// value counts none.
type Work struct {
	mu   sync.Mutex
	left int
	none chan struct{} // closed when none is left; nil where nobody waits
}

// Begin counts one more.
func (w *Work) Begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left++
}

// End counts one less.
func (w *Work) End() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left--; w.left == 0 && w.none != nil {
		close(w.none)
		w.none = nil
	}
}

// Wait returns once none is left; at once where there is none.
func (w *Work) Wait() {
	if none := w.waitFor(); none != nil {
		<-none
	}
}

func (w *Work) waitFor() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left == 0 {
		return nil
	}
	if w.none == nil {
		w.none = make(chan struct{})
	}
	return w.none
}
