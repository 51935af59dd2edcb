package proxy

// events follows a stream of server-sent events and knows where one ends: behind an
// empty line, where a line ends in LF, CR or CRLF (HTML Standard §9.2.6). Its zero
// value stands before the first event.
type events struct {
	inside bool // something stands in the stream behind the last empty line
	inLine bool // something stands in the line
	cr     bool // the last byte was a CR, whose LF may follow
}

// between reports whether the stream may be cut here.
func (e *events) between() bool { return !e.inside }

// follow takes note of all of p.
func (e *events) follow(p []byte) {
	for _, c := range p {
		e.step(c)
	}
}

// toEnd takes note of p up to the end of the event under way, and returns how much of
// p that was.
func (e *events) toEnd(p []byte) int {
	for i, c := range p {
		if !e.inside {
			return i
		}
		e.step(c)
	}
	return len(p)
}

func (e *events) step(c byte) {
	switch {
	case c == '\n' && e.cr: // the second half of one line's end
		e.cr = false
		return
	case c == '\n', c == '\r':
		e.inside = e.inLine
		e.inLine = false
	default:
		e.inside, e.inLine = true, true
	}
	e.cr = c == '\r'
}
