package forward

// queue is who waits for a place in the pool, in the order in which they came. All of
// its methods take constant time, and need the pool's lock.
type queue struct {
	first, last *waiter
	length      int
}

// waiter gets a connection, or nil: the permission to open one.
type waiter struct {
	turn          chan *conn // room for one, so that giving never waits
	owner         string
	before, after *waiter
	queued        bool
}

// join puts w at the end.
func (q *queue) join(w *waiter) {
	w.before, w.queued = q.last, true
	if q.last != nil {
		q.last.after = w
	} else {
		q.first = w
	}
	q.last = w
	q.length++
}

// leave takes w out; false: its turn has come already.
func (q *queue) leave(w *waiter) bool {
	if !w.queued {
		return false
	}
	if w.before != nil {
		w.before.after = w.after
	} else {
		q.first = w.after
	}
	if w.after != nil {
		w.after.before = w.before
	} else {
		q.last = w.before
	}
	w.before, w.after, w.queued = nil, nil, false
	q.length--
	return true
}
