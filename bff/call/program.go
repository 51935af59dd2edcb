package call

import "time"

// Program is what is known of a program that calls. Its zero value is none.
type Program struct {
	// Name of the caller, ID of its key, and Proof: key, token or signature. They are names of
	// the configuration and of keys that are known, never what a request says.
	Name, Key, Proof string
	// Entry names the key in the table of keys; what is open ends with it.
	Entry string
	// Until is when what proved the program ends, and with it what is open; zero: nobody
	// said.
	Until time.Time
	// RateLimit and RatePolicy are the fields of an answer to a caller with a limit
	// (draft-ietf-httpapi-ratelimit-headers-11); empty: none.
	RateLimit, RatePolicy string
	// Challenges are the values of WWW-Authenticate on a 401 (RFC 9110 §11.6.1).
	Challenges []string
	// Routed reports that the call came to a route that programs use; it is counted.
	Routed bool
}

// MarkProgram puts on the reply what is said to programs.
func (c *Call) MarkProgram() {
	p, h := &c.Program, &c.Reply.Header
	if p.RateLimit != "" {
		h.Set("RateLimit", p.RateLimit)
		h.Set("RateLimit-Policy", p.RatePolicy)
	}
	if c.Reply.Status != 401 {
		return
	}
	for _, challenge := range p.Challenges {
		h.Add("WWW-Authenticate", challenge)
	}
}
