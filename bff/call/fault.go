package call

import "runtime/debug"

// A fault of the program, a panic, costs the call that met it and nobody else: that
// call gets one error, its connection ends, and one line names the place. The web
// server recovers nothing, so each goroutine of ours that serves a call does.

// Contain is deferred at the top of a goroutine.
func (e Events) Contain(requestID string) {
	if recover() != nil {
		e.Fault(requestID, debug.Stack())
	}
}

// Fault says where a fault is, and nothing of what it says: that may be a secret.
func (e Events) Fault(requestID string, stack []byte) {
	defer func() { _ = recover() }() // the log itself may be what is at fault
	e.Log.Error("panic", "request_id", requestID, "stack", string(stack))
}
