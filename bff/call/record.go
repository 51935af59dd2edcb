package call

import "time"

// Record is what the log line and the counters say of a call. It is the one part of
// a call that every room may write to.
type Record struct {
	// Begun is when the request's head was read.
	Begun time.Time
	// Status of the answer.
	Status int
	// Code of the problem; empty: none.
	Code string
	// Cause of the problem, for the log only.
	Cause error
	// Explained: the line has the cause's text whatever the status is, because the answer
	// leads a browser on, or says less than an operator must know.
	Explained bool
	// Session names the session in logs (its LogID); empty: nobody is signed in.
	Session string
	// BytesOut is how much of a body was sent.
	BytesOut int64
	// Upstream is how long the API was waited for.
	Upstream time.Duration
	// BeganAfter is how long it took until a streamed answer began; 0: it is not streamed.
	BeganAfter time.Duration
}
