package forward

import "time"

// Gather waits for the rest of a small body (64 KiB, as it is framed), for wait at most,
// and reports whether Complete has it then. Call it before Read, which gives out all
// that was gathered in any case: nothing is lost where the body is larger, or slower.
func (a *Response) Gather(wait time.Duration) bool {
	if a.Complete != nil || a.conn == nil || a.err != nil {
		return a.Complete != nil
	}
	if a.framing != byChunks && (a.framing != byLength || a.large == nil) {
		return false
	}
	a.conn.unroll()
	if a.conn.net.SetReadDeadline(time.Now().Add(wait)) != nil {
		return false
	}
	for a.Complete == nil {
		if err := a.gather(); err != nil {
			return false // whoever reads on meets it again
		}
	}
	return true
}

// gather reads once. What is chunked stays in the buffer until it is whole, so that
// reading it can still begin anew.
func (a *Response) gather() error {
	r := &a.conn.reader
	if a.framing == byChunks {
		if !a.parts.chunks.Whole() {
			return r.Fill(handful)
		}
		err := a.unchunk()
		if err != nil {
			a.err = a.call.classifyBody(err)
		}
		return err
	}
	body := (*a.large)[:int64(len(a.hand))+a.left]
	n, err := r.Read(body[len(a.hand):])
	a.hand = body[:len(a.hand)+n]
	if a.left -= int64(n); a.left == 0 {
		a.Complete = a.hand
		return nil
	}
	return err
}
