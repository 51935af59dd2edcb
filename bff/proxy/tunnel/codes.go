package tunnel

// Close codes (RFC 6455 §7.4.1): the first two are for whoever calls [Tunnel.End].
const (
	// GoingAway: this process ends, or both sides were silent for too long.
	GoingAway = 1001
	// Policy: the session ended, or what proved the call.
	Policy = 1008

	closeAbnormal = 1006 // never sent: the connection ends without a close frame
	closeInternal = 1011 // the API is gone. 1014 would say more, but many a library does not know it

	// A first message that nothing can be put into.
	closeProtocol    = 1002
	closeUnsupported = 1003 // it is not text
	closeNotJSON     = 1007 // it is not a JSON object
	closeTooBig      = 1009
)
